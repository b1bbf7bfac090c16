"""Messages written byte by byte: whatever Avro allows, and whatever it does not."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from conformare_schemas import SOURCE_RISKS, message_header, row_fields, topic_name
from conformare_sink.messages.message import Message

PREFIX = "test."
MOMENT = 1_700_000_000_000_000


def number(value: int, size: int = 1) -> bytes:
    """An int or a long, in at least so many bytes."""
    zigzag = (value << 1) if value >= 0 else ((-value) << 1) - 1
    groups: list[int] = []
    while zigzag or len(groups) < size:
        groups.append(zigzag & 0x7F)
        zigzag >>= 7
    return bytes([*(group | 0x80 for group in groups[:-1]), groups[-1]])


def text(content: str | bytes) -> bytes:
    """A string."""
    raw = content.encode() if isinstance(content, str) else content
    return number(len(raw)) + raw


def block(count: int, items: bytes, *, with_size: bool = False) -> bytes:
    """Some items of an array or a map."""
    if with_size:
        return number(-count) + number(len(items)) + items
    return number(count) + items


END = number(0)
"""Behind the last block."""


def array(count: int, item: bytes) -> bytes:
    """The same item so many times, in one block."""
    return block(count, item * count) + END


def row(grain: str, **fields: bytes) -> bytes:
    """A row of empty texts, zeros and nothing, but for the fields that are given."""
    return b"".join(
        fields.get(field.name, number(_null_branch(field.avro_type))) for field in row_fields(grain)
    )


def value(
    grain: str,
    rows: bytes,
    behind: bytes = b"",
    *,
    run_id: str = "r",
    pipeline: str = "p",
    emission_id: str = "e",
    first_row: int = 0,
) -> bytes:
    """A message's value: an envelope, its rows as they are given, and what stands behind them.

    Of a declaration, the run_id is the location.
    """
    if grain == SOURCE_RISKS:
        envelope = text(run_id) + number(MOMENT) + text(emission_id)
        return message_header(grain) + envelope + rows + behind
    envelope = text(run_id) + text(pipeline) + number(MOMENT) + text(emission_id)
    return message_header(grain) + envelope + number(first_row) + rows + behind


def counts(of_grains: Iterable[tuple[str, int]]) -> bytes:
    """The `row_counts` of a message of the grain `runs`."""
    pairs = [text(grain) + number(rows) for grain, rows in of_grains]
    return block(len(pairs), b"".join(pairs)) + END


def message(
    grain: str, content: bytes | None, offset: int = 0, key: bytes | None = b"r"
) -> Message:
    """A message as Kafka would deliver it."""
    return Message(key, content, topic_name(grain, PREFIX), 0, offset, offset)


def _null_branch(avro_type: Any) -> int:
    return avro_type.index("null") if isinstance(avro_type, list) else 0
