"""Messages become envelopes and rows, each judged against the contract; none raises."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import repeat
from typing import Any

import pyarrow as pa

from conformare_schemas import (
    GRAINS,
    RUN_GRAINS,
    SOURCE_RISKS,
    Column,
    arrow_schema,
    message_header,
    row_fields,
    table_columns,
    topic_name,
)
from conformare_sink.messages.content import content_of, message_readers
from conformare_sink.messages.declarations import no_declarations, read_declarations
from conformare_sink.messages.envelope import Envelope, Rejected, fault
from conformare_sink.messages.message import Message
from conformare_sink.messages.side_by_side.columns import MessageColumns, read_columns

CHUNK_BYTES = 4 * 2**20
"""Messages are read in chunks of so many bytes: a byte of a hostile message may take the memory of
a hundred until its value is in a column."""
CHUNK_ROWS = 8_192
"""Rows are columns before so many of them wait as Python objects."""

_Read = tuple[Message, dict[str, Any]]
"""A message and what it says, field by field."""

_MISFITS = (pa.ArrowInvalid, OverflowError)
"""Avro's numbers have no bounds: what Arrow says of one that its column cannot hold."""


@dataclass(frozen=True)
class Decoded:
    """What a number of messages hold."""

    envelopes: Sequence[Envelope]
    rejected: Sequence[Rejected]
    rows: Mapping[str, pa.Table]
    """Of every grain its own columns, with the rows of its envelopes; others mean nothing."""
    declared: pa.Table = field(default_factory=no_declarations)
    """Rows of the table of declarations, all of each."""


NOTHING_DECODED = Decoded((), (), {})

_ENVELOPE = ("run_id", "pipeline", "ts", "emission_id", "first_row", "row_counts")
"""Fields of the contract's envelope in the order of `Envelope`; `row_counts` is in `runs` only."""


def decode(messages: Iterable[Message], topic_prefix: str) -> Decoded:
    """Decode messages of all grain topics.

    Args:
        messages: In any order.
        topic_prefix: Put in front of every grain's topic.
    """
    by_topic: dict[str, list[Message]] = defaultdict(list)
    for message in messages:
        by_topic[message.topic].append(message)
    declaring = by_topic.pop(topic_name(SOURCE_RISKS, topic_prefix), [])
    declared, unusable = read_declarations(declaring)
    grains = [
        _Grain(grain, by_topic.pop(topic))
        for grain in RUN_GRAINS
        if (topic := topic_name(grain, topic_prefix)) in by_topic
    ]
    # What waited may have come by topics of another prefix.
    cause = "unknown topic: no grain of this topic prefix has it"
    strays = [Rejected(stray, cause) for strays in by_topic.values() for stray in strays]
    return Decoded(
        envelopes=[envelope for grain in grains for envelope in grain.envelopes],
        rejected=[*strays, *unusable, *(one for grain in grains for one in grain.rejected)],
        rows={grain.name: grain.rows for grain in grains},
        declared=declared,
    )


def readable_headers() -> frozenset[bytes]:
    """Return with which bytes the values begin that this sink has a schema for."""
    return frozenset(header for grain in GRAINS for header in message_readers(grain))


class _Grain:
    """Messages of one grain: their envelopes, their rows as columns, and which cannot be used.

    Messages that are as our producers write them become columns at once; whatever is not goes
    through Avro's general decoder, which is slower and has the last word.
    """

    def __init__(self, name: str, messages: Iterable[Message]) -> None:
        self.name = name
        self.envelopes: list[Envelope] = []
        self.rejected: list[Rejected] = []
        own = {field.name for field in row_fields(name)}
        columns: tuple[Column, ...] = tuple(c for c in table_columns(name) if c.name in own)
        self._schema = arrow_schema(columns)
        self._chunks = [self._schema.empty_table()]
        self._n_rows = 0
        header = message_header(name)
        newest: list[Message] = []
        others: list[Message] = []
        for message in messages:
            is_newest = message.value is not None and message.value.startswith(header)
            (newest if is_newest else others).append(message)
        for chunk in _chunks(newest):
            others += self._take_newest(chunk)
        for chunk in _chunks(others):
            self._take(chunk)

    @property
    def rows(self) -> pa.Table:
        """The rows that envelopes point at."""
        return pa.concat_tables(self._chunks)

    def _take_newest(self, messages: list[Message]) -> list[Message]:
        """Take messages of the newest contract; return those that the general decoder has to see."""
        values = [message.value or b"" for message in messages]
        found, odd = read_columns(self.name, values, self._schema)
        regular = [message for message, is_odd in zip(messages, odd, strict=True) if not is_odd]
        self._add(regular, found)
        return [message for message, is_odd in zip(messages, odd, strict=True) if is_odd]

    def _take(self, messages: Iterable[Message]) -> None:
        """Take any messages."""
        waiting: list[_Read] = []
        n_rows = 0
        for message in messages:
            content = content_of(self.name, message.value)
            if isinstance(content, str):
                self.rejected.append(Rejected(message, content))
                continue
            waiting.append((message, content))
            n_rows += len(content["rows"])
            if n_rows >= CHUNK_ROWS:
                self._keep(waiting)
                waiting, n_rows = [], 0
        self._keep(waiting)

    def _keep(self, read: Sequence[_Read]) -> None:
        """Keep the rows of messages."""
        try:
            columns = self._columns(read)
        except _MISFITS:
            read = [one for one in read if self._fits(*one)]
            columns = self._columns(read)
        envelope = {name: [content.get(name) for _, content in read] for name in _ENVELOPE}
        counts = [len(content["rows"]) for _, content in read]
        table = pa.Table.from_arrays(columns, schema=self._schema)
        self._add([message for message, _ in read], MessageColumns(envelope, counts, table))

    def _columns(self, read: Sequence[_Read]) -> list[pa.Array]:
        rows = [row for _, content in read for row in content["rows"]]
        return [pa.array([row[f.name] for row in rows], f.type) for f in self._schema]

    def _fits(self, message: Message, content: dict[str, Any]) -> bool:
        """Return whether the rows of a message can be columns; reject it if not."""
        try:
            self._columns([(message, content)])
        except _MISFITS:
            cause = "breaks the contract: a number does not fit its type"
            self.rejected.append(Rejected(message, cause))
            return False
        return True

    def _add(self, messages: Sequence[Message], found: MessageColumns) -> None:
        """Add what was read of messages, those left out that break the contract."""
        self._chunks.append(found.rows)
        fields = [found.envelope.get(name) for name in _ENVELOPE]
        values = zip(*(f if f is not None else repeat(None) for f in fields), strict=False)
        for message, n_rows, of_message in zip(messages, found.n_rows, values, strict=False):
            envelope = Envelope(message, self.name, n_rows, self._n_rows, *of_message)
            if cause := fault(envelope):
                self.rejected.append(Rejected(message, cause))
            else:
                self.envelopes.append(envelope)
            self._n_rows += n_rows


def _chunks(messages: Iterable[Message]) -> Iterator[list[Message]]:
    """Yield messages in lists of about `CHUNK_BYTES`, at least one in each."""
    chunk: list[Message] = []
    n_bytes = 0
    for message in messages:
        chunk.append(message)
        n_bytes += len(message.value or b"")
        if n_bytes >= CHUNK_BYTES:
            yield chunk
            chunk, n_bytes = [], 0
    if chunk:
        yield chunk
