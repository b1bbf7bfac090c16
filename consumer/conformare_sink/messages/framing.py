"""Messages that a Schema Registry's ids frame become messages in single-object encoding.

Everything behind this step knows one framing. So parts of one run may come in both, and what waits
needs no registry any more.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple, Protocol

from conformare_schemas import CONFLUENT_HEADER_BYTES, confluent_id
from conformare_sink.messages.envelope import UNKNOWN_SCHEMA, Rejected
from conformare_sink.messages.message import Message

SchemaIds = Mapping[int, bytes]
"""A registry's id → the single-object header of the schema that has it; `FOREIGN` for any other."""

FOREIGN = b""
"""Stands for the header of a schema that is none of ours."""

UNRESOLVED = f"{UNKNOWN_SCHEMA} yet"
"""What causes begin with that go as soon as the registry tells of an id."""
NOT_RESOLVED = (
    f"{UNRESOLVED}: the schema registry has not told what the value's schema id is; "
    "as soon as it does, the message is tried again"
)
NO_REGISTRY = (
    f"{UNRESOLVED}: a schema registry has the value's schema, and the sink was given none; "
    "set --schema-registry-url"
)
UNRESOLVED_CAUSES = (NOT_RESOLVED, NO_REGISTRY)
NOT_OURS = (
    f"{UNKNOWN_SCHEMA}: the schema registry has another schema for the value's id than any that "
    "the sink knows; if a newer contract has it, upgrade the sink, and it lands"
)


class SchemaRegistry(Protocol):
    """What is known of a Schema Registry's ids, and where others are asked for."""

    def known(self) -> SchemaIds:
        """Return what it has told; more may come to it, and nothing changes."""

    def want(self, ids: Collection[int]) -> bool:
        """Let it be asked for ids; return whether it has told of some by now."""


class Unframed(NamedTuple):
    """Messages of one framing."""

    messages: Sequence[Message]
    rejected: Sequence[Rejected]
    """Those whose schema is not known."""
    unresolved: frozenset[int]
    """The ids of which nothing is known."""


def in_one_framing(messages: Sequence[Message], ids: SchemaIds | None) -> Unframed:
    """Return messages in single-object encoding, where their framing has an id.

    Args:
        messages: Any.
        ids: What a registry has told; None where there is no registry.
    """
    if not any(confluent_id(message.value) is not None for message in messages):
        return Unframed(messages, (), frozenset())
    usable: list[Message] = []
    rejected: list[Rejected] = []
    unresolved: set[int] = set()
    for message in messages:
        schema_id = confluent_id(message.value)
        if schema_id is None:
            usable.append(message)
        elif (value := single_object(message.value, ids)) is not None:
            usable.append(message._replace(value=value))
        elif ids is None:
            rejected.append(Rejected(message, NO_REGISTRY))
        elif ids.get(schema_id) == FOREIGN:
            rejected.append(Rejected(message, NOT_OURS))
        else:
            unresolved.add(schema_id)
            rejected.append(Rejected(message, NOT_RESOLVED))
    return Unframed(usable, rejected, frozenset(unresolved))


def single_object(value: bytes | None, ids: SchemaIds | None) -> bytes | None:
    """Return a value in single-object encoding; None where the schema of its id is not known."""
    schema_id = confluent_id(value)
    if value is None or schema_id is None:
        return value
    header = None if ids is None else ids.get(schema_id)
    return header + value[CONFLUENT_HEADER_BYTES:] if header else None


def as_they_came(rejected: Sequence[Rejected], messages: Iterable[Message]) -> list[Rejected]:
    """Return messages that cannot be used with the bytes that they had in Kafka.

    Args:
        rejected: Some of the messages, in whichever framing.
        messages: All of them, as they came.
    """
    if not rejected:
        return []
    places = {one.message.place for one in rejected}
    originals = {message.place: message for message in messages if message.place in places}
    return [Rejected(originals[one.message.place], one.cause, one.n_bytes) for one in rejected]
