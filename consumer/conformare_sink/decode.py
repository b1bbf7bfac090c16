"""Messages become envelopes and rows, each judged against the contract; none raises."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from io import BytesIO
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
from conformare_sink.message import Message

EARLIEST_TS = 0
LATEST_TS = 253_402_300_799_999_999
"""1970 to 9999, in microseconds: times that every reader of the tables can hold."""

LARGEST_INT = 2**31 - 1

UNKNOWN_SCHEMA = "unknown schema"
"""What causes begin with that an upgrade of the sink may remove."""

CHUNK_ROWS = 8_192
"""Rows are columns before so many of them wait as Python objects."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """A good message without its rows."""

    message: Message
    grain: str
    run_id: str
    pipeline: str
    ts: int
    """Microseconds since 1970, UTC."""
    emission_id: str
    first_row: int
    n_rows: int
    row_counts: Mapping[str, int] | None
    """In `runs` only."""
    at: int
    """Where its rows begin among the decoded rows of the grain."""


@dataclass(frozen=True)
class Rejected:
    """A message that cannot be used."""

    message: Message
    cause: str


@dataclass(frozen=True)
class Decoded:
    """What a number of messages hold."""

    envelopes: Sequence[Envelope]
    rejected: Sequence[Rejected]
    rows: Mapping[str, pa.Table]
    """The grain's own columns of the rows of all its envelopes, in their order."""


Decoder = Callable[[BytesIO], Any]
"""Reads one payload, or raises whatever it likes; the stream ends up behind what was read."""


def decode(messages: Iterable[Message], topic_prefix: str) -> Decoded:
    """Decode messages of all grain topics.

    Args:
        messages: In any order.
        topic_prefix: Put in front of every grain's topic.
    """
    grain_of = {topic_name(grain, topic_prefix): grain for grain in GRAINS}
    rejected: list[Rejected] = []
    grains = {grain: _Grain(grain, rejected) for grain in GRAINS}
    for message in messages:
        grain = grain_of.get(message.topic)
        content = _content(grain, message)
        if grain is None or isinstance(content, str):
            rejected.append(Rejected(message, str(content)))
        else:
            grains[grain].add(message, content)
    rows = {name: grain.table() for name, grain in grains.items() if grain.n_rows}
    envelopes = [envelope for grain in grains.values() for envelope in grain.envelopes]
    return Decoded(envelopes, rejected, rows)


def readable_headers() -> frozenset[bytes]:
    """Return with which bytes the values begin that this sink has a schema for."""
    return frozenset(header for grain in GRAINS for header in _decoders(grain))


class _Grain:
    """Messages of one grain: their envelopes, and their rows as columns."""

    def __init__(self, grain: str, rejected: list[Rejected]) -> None:
        self._grain = grain
        self._rejected = rejected
        own = {field.name for field in row_fields(grain)}
        columns: tuple[Column, ...] = tuple(c for c in table_columns(grain) if c.name in own)
        self._schema = arrow_schema(columns)
        self._waiting: list[tuple[Message, dict[str, Any]]] = []
        self._n_waiting = 0
        self._chunks: list[pa.Table] = []
        self.envelopes: list[Envelope] = []

    @property
    def n_rows(self) -> int:
        """Rows of all messages."""
        return self._n_waiting + sum(int(chunk.num_rows) for chunk in self._chunks)

    def add(self, message: Message, content: dict[str, Any]) -> None:
        """Take a message that was decoded."""
        self._waiting.append((message, content))
        self._n_waiting += len(content["rows"])
        if self._n_waiting >= CHUNK_ROWS:
            self._flush()

    def table(self) -> pa.Table:
        """Return the rows of all messages."""
        self._flush()
        return pa.concat_tables([self._schema.empty_table(), *self._chunks])

    def _flush(self) -> None:
        waiting, self._waiting, self._n_waiting = self._waiting, [], 0
        if not self._keep(waiting):
            # Avro's numbers have no bounds; one that no column can hold spoils its message only.
            for one in waiting:
                if not self._keep([one]):
                    cause = "breaks the contract: a number does not fit its type"
                    self._rejected.append(Rejected(one[0], cause))

    def _keep(self, waiting: Sequence[tuple[Message, dict[str, Any]]]) -> bool:
        """Keep the rows of messages; return whether all of them can be columns."""
        rows = [row for _, content in waiting for row in content["rows"]]
        try:
            columns = [pa.array([row[f.name] for row in rows], f.type) for f in self._schema]
        except (pa.ArrowException, OverflowError):
            return False
        at = self.n_rows
        self._chunks.append(pa.Table.from_arrays(columns, schema=self._schema))
        for message, content in waiting:
            self.envelopes.append(self._envelope(message, content, at))
            at += len(content["rows"])
        return True

    def _envelope(self, message: Message, content: dict[str, Any], at: int) -> Envelope:
        return Envelope(
            message=message,
            grain=self._grain,
            run_id=content["run_id"],
            pipeline=content["pipeline"],
            ts=content["ts"],
            emission_id=content["emission_id"],
            first_row=content["first_row"],
            n_rows=len(content["rows"]),
            row_counts=content.get("row_counts"),
            at=at,
        )


def _content(grain: str | None, message: Message) -> dict[str, Any] | str:
    """Return what a message says, or the cause why it cannot be used."""
    value = message.value
    if grain is None:  # what waited may have come by topics of another prefix
        return "unknown topic: no grain of this topic prefix has it"
    if value is None or value[: len(SINGLE_OBJECT_MAGIC)] != SINGLE_OBJECT_MAGIC:
        return "not framed: the value does not begin with the marker of Avro single-object encoding"
    decoder = _decoders(grain).get(value[:HEADER_BYTES])
    if decoder is None:
        return f"{UNKNOWN_SCHEMA}: no released version of this grain has the value's fingerprint"
    payload = BytesIO(value)
    payload.seek(HEADER_BYTES)
    try:
        content = decoder(payload)
    except Exception:  # noqa: BLE001 - whatever hostile bytes make the decoder raise
        return "undecodable: the value does not follow its schema"
    if payload.tell() != len(value):
        return "undecodable: there are bytes behind the value"
    return _fault(grain, message, content) or content


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


def _fault(grain: str, message: Message, content: Mapping[str, Any]) -> str | None:
    """Return the first cause for which a decoded message cannot be used."""
    identity = (content["run_id"], content["pipeline"], content["emission_id"])
    if message.key != content["run_id"].encode():
        return "breaks the contract: the key is not the run_id"
    if not all(identity):
        return "breaks the contract: run_id, pipeline or emission_id is empty"
    if not EARLIEST_TS <= content["ts"] <= LATEST_TS:
        return "breaks the contract: ts is outside the years 1970 to 9999"
    if not content["rows"] or not 0 <= content["first_row"] <= LARGEST_INT:
        return "breaks the contract: no rows, or no first_row that a grain can have"
    return _fault_of_counts(content) if grain == "runs" else None


def _fault_of_counts(content: Mapping[str, Any]) -> str | None:
    """Return what is wrong with the counts by which an emission is known to be whole."""
    counts = content["row_counts"]
    if len(content["rows"]) != 1 or content["first_row"] != 0:
        return "breaks the contract: the grain runs has exactly one row"
    if counts.get("runs") != 1:
        return "breaks the contract: row_counts does not count the grain runs as one"
    if not counts.keys() <= set(GRAINS):
        return f"{UNKNOWN_SCHEMA}: row_counts names a grain that this sink does not know"
    if min(counts.values()) < 1 or max(counts.values()) > LARGEST_INT:
        return "breaks the contract: row_counts counts no rows, or more than there can be"
    return None
