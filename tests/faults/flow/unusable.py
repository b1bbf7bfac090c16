"""Messages that no sink can use: each a good one that something has happened to."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from support.messages.produce import messages_of
from support.messages.records import make_record

from conformare.emission import Message
from conformare_schemas import GRAINS, HEADER_BYTES, SINGLE_OBJECT_MAGIC, message_header

_TWO_GIB = b"\xfe\xff\xff\xff\x0f"
"""Announces a string of 2 GiB, of which nothing follows."""


@dataclass(frozen=True)
class Outgoing:
    """A message to be sent.

    Attributes:
        grain: To whose topic.
        key: Its key, None for none.
        value: Its value, None for a tombstone.
        usable: Whether a sink is to land it; otherwise it belongs in quarantine.
    """

    grain: str
    key: bytes | None
    value: bytes | None
    usable: bool = False


def spoiled(message: Message, chance: random.Random) -> Outgoing:
    """Return what became of a copy of a good message."""
    return chance.choice(_ACCIDENTS)(message, chance)


def _truncated(message: Message, chance: random.Random) -> Outgoing:
    length = chance.randrange(HEADER_BYTES, len(message.value))
    return Outgoing(message.grain, message.key, message.value[:length])


def _noise(message: Message, chance: random.Random) -> Outgoing:
    return Outgoing(message.grain, message.key, b"\x07" + chance.randbytes(chance.randint(0, 60)))


def _unknown_schema(message: Message, chance: random.Random) -> Outgoing:
    header = SINGLE_OBJECT_MAGIC + chance.randbytes(HEADER_BYTES - len(SINGLE_OBJECT_MAGIC))
    return Outgoing(message.grain, message.key, header + message.value[HEADER_BYTES:])


def _empty(message: Message, _: random.Random) -> Outgoing:
    return Outgoing(message.grain, message.key, b"")


def _tombstone(message: Message, _: random.Random) -> Outgoing:
    return Outgoing(message.grain, message.key, None)


def _nothing(message: Message, _: random.Random) -> Outgoing:
    return Outgoing(message.grain, None, None)


def _without_key(message: Message, _: random.Random) -> Outgoing:
    return Outgoing(message.grain, None, message.value)


def _key_of_another_run(message: Message, _: random.Random) -> Outgoing:
    return Outgoing(message.grain, b"another " + message.key, message.value)


def _topic_of_another_grain(message: Message, chance: random.Random) -> Outgoing:
    others = [grain for grain in GRAINS if grain != message.grain]
    return Outgoing(chance.choice(others), message.key, message.value)


def _giant(message: Message, _: random.Random) -> Outgoing:
    return Outgoing(message.grain, message.key, message_header(message.grain) + _TWO_GIB)


def _without_run_id(_: Message, chance: random.Random) -> Outgoing:
    nameless = chance.choice(messages_of(make_record(""), "nobody's"))
    return Outgoing(nameless.grain, nameless.key, nameless.value)


_ACCIDENTS: Sequence[Callable[[Message, random.Random], Outgoing]] = (
    _truncated,
    _noise,
    _unknown_schema,
    _empty,
    _tombstone,
    _nothing,
    _without_key,
    _key_of_another_run,
    _topic_of_another_grain,
    _giant,
    _without_run_id,
)
