"""Messages in parts of so many rows: a row takes memory beyond its bytes, and may have next to none."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import takewhile
from typing import Any

import numpy as np

from conformare_schemas import (
    HEADER_BYTES,
    MAX_ROWS_PER_MESSAGE,
    RELEASED_SCHEMAS,
    message_header,
    message_schema,
    row_fields,
    topic_name,
)
from conformare_sink.messages.envelope import LONGEST_IDENTITY
from conformare_sink.messages.framing import SchemaIds, single_object
from conformare_sink.messages.message import Message
from conformare_sink.messages.side_by_side.payloads import Ints, Payloads

MOST_ROWS = 250_000

_HEAD_BYTES = LONGEST_IDENTITY + 64
"""Of a value; what stands before the rows ends within them in every message that can be used."""


def in_parts(
    messages: Sequence[Message],
    topic_prefix: str,
    most_rows: int = MOST_ROWS,
    ids: SchemaIds | None = None,
) -> Iterator[list[Message]]:
    """Yield messages in parts of which none has more rows than a limit.

    The rows are those that the messages announce; `decode` rejects a message that has others.

    Args:
        messages: In any order.
        topic_prefix: Put in front of every grain's topic.
        most_rows: Most rows of one part; a single message may have more.
        ids: What a schema registry has told; None where there is no registry.

    Yields:
        All messages of one key in the same part, in the order in which the keys first came. A key
        that has more rows than a part may have is dealt out by arrival.
    """
    n_bytes = sum(len(message.value or b"") for message in messages)
    # Few bytes cannot have many rows, and most messages have many bytes for each row.
    if n_bytes // _least_bytes_of_a_row() <= most_rows:
        yield list(messages)
        return
    announced = announced_rows(messages, topic_prefix, ids)
    if announced.sum() <= most_rows:
        yield list(messages)
        return
    part: list[Message] = []
    free = most_rows
    for those, n_rows in _inseparable(messages, announced, most_rows):
        if n_rows > free and part:
            yield part
            part, free = [], most_rows
        part += those
        free -= n_rows
    yield part


def announced_rows(
    messages: Sequence[Message], topic_prefix: str, ids: SchemaIds | None = None
) -> Ints:
    """Return how many rows each message has at most, as its first bytes say it.

    Args:
        messages: Any.
        topic_prefix: Put in front of every grain's topic.
        ids: What a schema registry has told; None where there is no registry.

    Returns:
        The exact number for messages that `decode` accepts, unless what stands before their rows is
        written in an unusual way; 0 for those that it rejects by their first bytes.
    """
    announced = np.zeros(len(messages), np.int64)
    alike: dict[tuple[str, bytes], list[int]] = defaultdict(list)
    values: dict[int, bytes] = {}
    for index, message in enumerate(messages):
        if (value := single_object(message.value, ids)) is not None:
            values[index] = value
            alike[message.topic, value[:HEADER_BYTES]].append(index)
    for grain, version in RELEASED_SCHEMAS:
        topic, header = topic_name(grain, topic_prefix), message_header(grain, version)
        if (indices := alike.get((topic, header))) is not None:
            announced[indices] = _announced(grain, version, [values[n] for n in indices])
    return announced


def _announced(grain: str, version: int, values: Sequence[bytes]) -> Ints:
    heads = Payloads([value[:_HEAD_BYTES] for value in values], HEADER_BYTES)
    everyone = np.arange(len(values))
    for field in takewhile(_is_before_rows, message_schema(grain, version)["fields"]):
        (heads.spans if field["type"] == "string" else heads.longs)(everyone)
    # A negative number is followed by the bytes of the block; it means the same.
    counts = np.abs(heads.longs(everyone))
    counts[heads.odd()] = MAX_ROWS_PER_MESSAGE
    sizes = np.fromiter(map(len, values), np.int64, len(values))
    # A field takes a byte at least.
    possible = (sizes - HEADER_BYTES) // len(row_fields(grain, version))
    rows: Ints = np.minimum(np.minimum(counts, possible), MAX_ROWS_PER_MESSAGE)
    return rows


def _inseparable(
    messages: Iterable[Message], announced: Ints, most_rows: int
) -> Iterator[tuple[list[Message], int]]:
    """Yield what stays together, and its rows: a key, or a message of a key that is too large."""
    by_key: dict[bytes | None, list[tuple[Message, int]]] = defaultdict(list)
    for message, n_rows in zip(messages, announced.tolist(), strict=True):
        by_key[message.key].append((message, n_rows))
    for of_key in by_key.values():
        total = sum(n_rows for _, n_rows in of_key)
        if total <= most_rows:
            yield [message for message, _ in of_key], total
        else:
            for message, n_rows in sorted(of_key, key=lambda one: one[0].arrival):
                yield [message], n_rows


def _is_before_rows(field: Mapping[str, Any]) -> bool:
    return bool(field["name"] != "rows")


@cache
def _least_bytes_of_a_row() -> int:
    return min(len(row_fields(*released)) for released in RELEASED_SCHEMAS)
