"""Messages by the ids of a Schema Registry, without one."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from conformare.emission import Message as Sent
from conformare_schemas import GRAINS, HEADER_BYTES, confluent_header, message_header
from conformare_sink.messages.message import Message

IDS = {number: message_header(grain) for number, grain in enumerate(GRAINS, 1)}
"""A registry's ids of our schemas: that of `runs` is 1."""


def by_id(message: Message) -> Message:
    """Return a message with an id of `IDS` in place of its fingerprint."""
    value = message.value or b""
    (schema_id,) = (one for one, header in IDS.items() if header == value[:HEADER_BYTES])
    return message._replace(value=confluent_header(schema_id) + value[HEADER_BYTES:])


class Told:
    """What a registry has told, and what was wanted of it."""

    def __init__(self, ids: Mapping[int, bytes] = IDS) -> None:
        self.ids = dict(ids)
        self.wanted: set[int] = set()

    def known(self) -> Mapping[int, bytes]:
        """What is known."""
        return self.ids

    def want(self, ids: Collection[int]) -> bool:
        """Remember what is asked for."""
        self.wanted |= set(ids)
        return False


def sent_by_id(messages: Iterable[Sent], ids: Mapping[str, int]) -> list[Sent]:
    """Return messages as a producer sends them that frames them by a registry's ids.

    Args:
        messages: Those of an emission.
        ids: Grain → the id of its schema.
    """
    return [
        Sent(one.grain, one.key, confluent_header(ids[one.grain]) + one.value[HEADER_BYTES:])
        for one in messages
    ]
