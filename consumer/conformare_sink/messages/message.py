"""Kafka messages as the sink holds them, in and out of Arrow."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from conformare_schemas import LARGEST_MESSAGE_BYTES, LATEST_TS_MICROS

LATEST_TIME = LATEST_TS_MICROS
"""Whoever reads when a message came reads when its run was, too."""

LARGEST_MESSAGE = LARGEST_MESSAGE_BYTES
"""Key and value together; the value of a larger message is not read."""

LARGEST_AT_FIRST = 256 * 1024
"""Bytes of key and value together; the value of a larger message is not read with its batch, but
when it is known how large it is."""

LONGEST_KEY = 1_020
"""Bytes, as many as a run_id may have; a longer key is not read either where the value is not."""


class Place(NamedTuple):
    """Where a message is in Kafka; the time tells topics apart that were made again."""

    topic: str
    partition: int
    offset: int
    timestamp: int


class Message(NamedTuple):
    """A message as Kafka delivered it."""

    key: bytes | None
    value: bytes | None
    topic: str
    partition: int
    offset: int
    timestamp: int
    """When the broker took it, in microseconds since 1970, UTC; not after `LATEST_TIME`."""

    @property
    def place(self) -> Place:
        """Where it is in Kafka."""
        return Place(self.topic, self.partition, self.offset, self.timestamp)

    @property
    def arrival(self) -> tuple[int, str, int, int]:
        """Its rank in the total order of messages: when the broker took it, then where."""
        return (self.timestamp, self.topic, self.partition, self.offset)


MESSAGE_COLUMNS = Message._fields


class Weighed(NamedTuple):
    """A message, what it weighs, and what its headers say."""

    message: Message
    """Without its value where it is too heavy, and then without a key that is long."""
    weight: int | None
    """Bytes of its key and its value; None where Java's memory does not hold it."""
    producer: bytes | None
    """Value of the header; None where there is none, or none that is as short as ours."""
    sequence: bytes | None
    """The same."""


def messages_of(table: pa.Table) -> list[Message]:
    """Return the messages of a table.

    Args:
        table: `MESSAGE_COLUMNS`; others are ignored.
    """
    times = table.column("timestamp").cast(pa.timestamp("us", "UTC")).cast(pa.int64())
    times = pc.min_element_wise(times, LATEST_TIME)
    columns = {name: table.column(name) for name in MESSAGE_COLUMNS} | {"timestamp": times}
    return list(map(Message._make, zip(*(c.to_pylist() for c in columns.values()), strict=True)))


def message_columns(messages: Collection[Message]) -> dict[str, pa.Array]:
    """Return messages as the columns `MESSAGE_COLUMNS` of a table."""
    types = (pa.binary(), pa.binary(), pa.string(), pa.int32(), pa.int64(), pa.int64())
    values = zip(*messages, strict=True) if messages else ((),) * len(types)
    columns = dict(zip(MESSAGE_COLUMNS, map(pa.array, values, types), strict=True))
    return columns | {"timestamp": columns["timestamp"].cast(pa.timestamp("us", "UTC"))}
