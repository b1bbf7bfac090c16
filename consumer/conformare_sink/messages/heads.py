"""Which emission a message is of, read from what stands before its rows: nothing is decoded.

The messages of an emission have the same head, byte for byte, behind the same Kafka key. So a head is
read once and recognised in the other messages, which takes a twentieth of the time of decoding them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import takewhile
from typing import Any, NamedTuple

from conformare_schemas import (
    EARLIEST_TS_MICROS,
    HEADER_BYTES,
    LATEST_TS_MICROS,
    MAX_ROWS_PER_MESSAGE,
    RELEASED_SCHEMAS,
    SOURCE_RISKS,
    message_header,
    message_schema,
    topic_name,
)
from conformare_sink.messages.emission import EmissionKey
from conformare_sink.messages.envelope import LARGEST_INT, LONGEST_IDENTITY
from conformare_sink.messages.message import Message

_LONGEST_NUMBER = 9
"""Bytes; with a tenth, a number may not fit 64 bits."""

_OF_THE_EMISSION = frozenset(("run_id", "pipeline", "ts", "emission_id"))
"""Fields that all messages of an emission have in common."""

_NOT_READABLE = (IndexError, ValueError)
"""A value that ends in its head; a number or a text that cannot be right."""


def emission_keys(messages: Iterable[Message], topic_prefix: str) -> list[EmissionKey | None]:
    """Return the emission that each message is of, as its head says it.

    Args:
        messages: Any.
        topic_prefix: Put in front of every grain's topic.

    Returns:
        What `decode` finds in the messages that it accepts. None for those that it rejects by their
        key or their head, and for a head that is written in an unusual way. What stands in and
        behind the rows is not looked at.
    """
    heads = _Heads(_layouts(topic_prefix))
    return [heads.key_of(key, value, topic) for key, value, topic, _, _, _ in messages]


class _Field(NamedTuple):
    """A field before the rows."""

    name: str
    is_text: bool


@dataclass(frozen=True, eq=False)
class _Layout:
    """What stands before the rows of a message."""

    common: tuple[_Field, ...]
    """Fields up to the last that an emission's messages have in common."""
    own: tuple[_Field, ...]
    """The fields behind them."""
    is_of_runs: bool


class _Head(NamedTuple):
    """What a message had before the rows, as far as others have the same."""

    fields: tuple[_Field, ...]
    content: bytes
    end: int
    """Where it ends in a value."""
    key: EmissionKey

    def begins(self, value: bytes, layout: _Layout) -> bool:
        """Return whether a value has the same head."""
        return self.fields is layout.common and value.startswith(self.content, HEADER_BYTES)


class _Heads:
    """Reads the heads of messages, those that come again only once.

    Args:
        layouts: Topic and header of a value → what stands behind the header.
    """

    def __init__(self, layouts: Mapping[tuple[str, bytes], _Layout]) -> None:
        self._layouts = layouts
        self._last: dict[bytes, _Head] = {}
        """The head that was read last, by the message's key."""

    def key_of(self, key: bytes | None, value: bytes | None, topic: str) -> EmissionKey | None:
        """Return the emission that a message is of; None where its head does not say it."""
        if key is None or value is None:
            return None
        layout = self._layouts.get((topic, value[:HEADER_BYTES]))
        if layout is None:
            return None
        try:
            head = self._last.get(key)
            if head is None or not head.begins(value, layout):
                head = _read_head(layout, key, value)
                if head is None:
                    return None
                self._last[key] = head
            return head.key if _has_rows(layout, value, head.end) else None
        except _NOT_READABLE:
            return None


def _read_head(layout: _Layout, key: bytes, value: bytes) -> _Head | None:
    """Return the head of a value; None where `decode` rejects what it says."""
    said, end = _read(value, HEADER_BYTES, layout.common)
    run_id, pipeline, emission_id = (said[name] for name in ("run_id", "pipeline", "emission_id"))
    if (
        run_id != key
        or not (run_id and pipeline and emission_id)
        or len(run_id) + len(pipeline) + len(emission_id) > LONGEST_IDENTITY
        or not EARLIEST_TS_MICROS <= said["ts"] <= LATEST_TS_MICROS
    ):
        return None
    names = EmissionKey(pipeline.decode(), run_id.decode(), emission_id.decode())
    return _Head(layout.common, value[HEADER_BYTES:end], end, names)


def _has_rows(layout: _Layout, value: bytes, at: int) -> bool:
    """Return whether a value says behind its head that it has rows, and as many as it may."""
    first_row = 0
    for name, is_text in layout.own:
        number, at = _number(value, at)
        if is_text:
            at = _end_of_text(value, at, number)
        elif name == "first_row":
            first_row = number
    n_rows, _ = _number(value, at)
    # A negative number is followed by the bytes of the block; it means the same.
    most_rows, last_row = (1, 0) if layout.is_of_runs else (MAX_ROWS_PER_MESSAGE, LARGEST_INT)
    return 1 <= abs(n_rows) <= most_rows and 0 <= first_row <= last_row


def _read(value: bytes, at: int, fields: Sequence[_Field]) -> tuple[dict[str, Any], int]:
    """Return what fields say, and where they end."""
    said: dict[str, Any] = {}
    for name, is_text in fields:
        number, at = _number(value, at)
        if is_text:
            end = _end_of_text(value, at, number)
            said[name], at = value[at:end], end
        else:
            said[name] = number
    return said, at


def _end_of_text(value: bytes, at: int, n_bytes: int) -> int:
    end = at + n_bytes
    if not at <= end <= len(value):
        raise ValueError("a text has no room")
    return end


def _number(value: bytes, at: int) -> tuple[int, int]:
    """Read a number; return where it ends, too."""
    byte = value[at]
    if not byte & 0x81:  # nearly all: it has one byte, and is not negative
        return byte >> 1, at + 1
    raw = byte & 0x7F
    size = 1
    while byte & 0x80:
        if size == _LONGEST_NUMBER:
            raise ValueError("a number is too long")
        byte = value[at + size]
        raw |= (byte & 0x7F) << (7 * size)
        size += 1
    # Zigzag: the sign is the lowest bit.
    return (raw >> 1) ^ -(raw & 1), at + size


@cache
def _layouts(topic_prefix: str) -> Mapping[tuple[str, bytes], _Layout]:
    layouts = {}
    for grain, version in RELEASED_SCHEMAS:
        if grain == SOURCE_RISKS:
            continue  # of no run
        before = takewhile(
            lambda field: field["name"] != "rows", message_schema(grain, version)["fields"]
        )
        fields = tuple(_Field(field["name"], field["type"] == "string") for field in before)
        n_common = 1 + max(n for n, field in enumerate(fields) if field.name in _OF_THE_EMISSION)
        place = topic_name(grain, topic_prefix), message_header(grain, version)
        layouts[place] = _Layout(
            _the_same(fields[:n_common]), fields[n_common:], is_of_runs=grain == "runs"
        )
    return layouts


@cache
def _the_same(fields: tuple[_Field, ...]) -> tuple[_Field, ...]:
    """Return the one object that stands for equal fields."""
    return fields
