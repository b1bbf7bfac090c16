"""Messages become envelopes and rows, each judged against the contract; none raises."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from itertools import repeat
from typing import Any

import pyarrow as pa
from fastavro import parse_schema, schemaless_reader

from conformare_schemas import (
    CONTRACT_VERSION,
    GRAINS,
    HEADER_BYTES,
    RELEASED_VERSIONS,
    SINGLE_OBJECT_MAGIC,
    Column,
    arrow_schema,
    message_header,
    message_schema,
    row_fields,
    table_columns,
    topic_name,
)
from conformare_sink.messages.columns import MessageColumns, read_columns
from conformare_sink.messages.envelope import UNKNOWN_SCHEMA, Envelope, Rejected, fault
from conformare_sink.messages.message import Message

CHUNK_ROWS = 8_192
"""Rows are columns before so many of them wait as Python objects."""


@dataclass(frozen=True)
class Decoded:
    """What a number of messages hold."""

    envelopes: Sequence[Envelope]
    rejected: Sequence[Rejected]
    rows: Mapping[str, pa.Table]
    """Of every grain its own columns, with the rows of its envelopes; others mean nothing."""


_ENVELOPE = ("run_id", "pipeline", "ts", "emission_id", "first_row", "row_counts")
"""Fields of the contract's envelope in the order of `Envelope`; `row_counts` is in `runs` only."""

Decoder = Callable[[BytesIO], Any]
"""Reads one payload, or raises whatever it likes; the stream ends up behind what was read."""


def decode(messages: Iterable[Message], topic_prefix: str) -> Decoded:
    """Decode messages of all grain topics.

    Args:
        messages: In any order.
        topic_prefix: Put in front of every grain's topic.
    """
    by_topic: dict[str, list[Message]] = defaultdict(list)
    for message in messages:
        by_topic[message.topic].append(message)
    grains = [
        _Grain(grain, by_topic.pop(topic))
        for grain in GRAINS
        if (topic := topic_name(grain, topic_prefix)) in by_topic
    ]
    # What waited may have come by topics of another prefix.
    cause = "unknown topic: no grain of this topic prefix has it"
    strays = [Rejected(stray, cause) for strays in by_topic.values() for stray in strays]
    return Decoded(
        envelopes=[envelope for grain in grains for envelope in grain.envelopes],
        rejected=strays + [rejected for grain in grains for rejected in grain.rejected],
        rows={grain.name: grain.rows for grain in grains},
    )


def readable_headers() -> frozenset[bytes]:
    """Return with which bytes the values begin that this sink has a schema for."""
    return frozenset(header for grain in GRAINS for header in _decoders(grain))


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
        self._waiting: list[tuple[Message, dict[str, Any]]] = []
        self._n_waiting = 0
        header = message_header(name)
        newest: list[Message] = []
        others: list[Message] = []
        for message in messages:
            is_newest = message.value is not None and message.value.startswith(header)
            (newest if is_newest else others).append(message)
        others += self._take_newest(newest)
        for message in others:
            self._take(message)
        self._flush()

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

    def _take(self, message: Message) -> None:
        """Take any message."""
        content = _content(self.name, message)
        if isinstance(content, str):
            self.rejected.append(Rejected(message, content))
            return
        self._waiting.append((message, content))
        self._n_waiting += len(content["rows"])
        if self._n_waiting >= CHUNK_ROWS:
            self._flush()

    def _flush(self) -> None:
        waiting, self._waiting, self._n_waiting = self._waiting, [], 0
        if not self._keep(waiting):
            # Avro's numbers have no bounds; one that no column can hold spoils its message only.
            for one in waiting:
                if not self._keep([one]):
                    cause = "breaks the contract: a number does not fit its type"
                    self.rejected.append(Rejected(one[0], cause))

    def _keep(self, waiting: Sequence[tuple[Message, dict[str, Any]]]) -> bool:
        """Keep the rows of messages; return whether all of them can be columns."""
        rows = [row for _, content in waiting for row in content["rows"]]
        try:
            columns = [pa.array([row[f.name] for row in rows], f.type) for f in self._schema]
        except (pa.ArrowException, OverflowError):
            return False
        envelope = {
            name: [content[name] for _, content in waiting]
            for name in (waiting[0][1] if waiting else ())
        }
        counts = [len(content["rows"]) for _, content in waiting]
        table = pa.Table.from_arrays(columns, schema=self._schema)
        self._add([message for message, _ in waiting], MessageColumns(envelope, counts, table))
        return True

    def _add(self, messages: Sequence[Message], found: MessageColumns) -> None:
        """Add what was read of messages, those left out that break the contract."""
        at = sum(int(chunk.num_rows) for chunk in self._chunks)
        self._chunks.append(found.rows)
        fields = [found.envelope.get(name) for name in _ENVELOPE]
        values = zip(*(f if f is not None else repeat(None) for f in fields), strict=False)
        for message, n_rows, of_message in zip(messages, found.n_rows, values, strict=False):
            envelope = Envelope(message, self.name, n_rows, at, *of_message)
            if cause := fault(envelope):
                self.rejected.append(Rejected(message, cause))
            else:
                self.envelopes.append(envelope)
            at += n_rows


def _content(grain: str, message: Message) -> dict[str, Any] | str:
    """Return what a message says, or the cause why it cannot be used."""
    value = message.value
    if value is None or value[: len(SINGLE_OBJECT_MAGIC)] != SINGLE_OBJECT_MAGIC:
        return "not framed: the value does not begin with the marker of Avro single-object encoding"
    decoder = _decoders(grain).get(value[:HEADER_BYTES])
    if decoder is None:
        return f"{UNKNOWN_SCHEMA}: no released version of this grain has the value's fingerprint"
    payload = BytesIO(value)
    payload.seek(HEADER_BYTES)
    try:
        content: dict[str, Any] = decoder(payload)
    except Exception:  # noqa: BLE001 - whatever hostile bytes make the decoder raise
        return "undecodable: the value does not follow its schema"
    if payload.tell() != len(value):
        return "undecodable: there are bytes behind the value"
    return content


@cache
def _decoders(grain: str) -> dict[bytes, Decoder]:
    """The decoder of every released version of a grain's message, by the header that names it."""
    newest = parse_schema(_with_plain_times(message_schema(grain)))

    def decoder(version: int) -> Decoder:
        if version == CONTRACT_VERSION:
            return lambda payload: schemaless_reader(payload, newest, None)
        written = parse_schema(_with_plain_times(message_schema(grain, version)))
        return lambda payload: schemaless_reader(payload, written, newest)

    return {message_header(grain, version): decoder(version) for version in RELEASED_VERSIONS}


def _with_plain_times(schema: Any) -> Any:
    """Return a schema whose times are decoded as numbers: tables take them, and any is possible."""
    if isinstance(schema, dict):
        return {
            name: _with_plain_times(part) for name, part in schema.items() if name != "logicalType"
        }
    return [_with_plain_times(part) for part in schema] if isinstance(schema, list) else schema
