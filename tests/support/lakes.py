"""Runs that land in a lake by hand: without topics, and without Spark."""

from __future__ import annotations

import itertools

import pyarrow as pa

from conformare_schemas import topic_name
from conformare_sink.lake.lake import Lake
from conformare_sink.lake.tables.folder import FolderTables
from conformare_sink.lake.tables.places import folder_tables
from conformare_sink.messages.assembly import assemble, table_rows
from conformare_sink.messages.decode import decode
from conformare_sink.messages.emission import RunKey
from conformare_sink.messages.message import Message
from conformare_sink.options import StorageSettings
from support.produce import messages_of
from support.records import Record

PREFIX = "by-hand."

_offsets = itertools.count()


def tables_in(lake: object) -> FolderTables:
    """Return the tables of a lake in a folder."""
    return folder_tables(str(lake), StorageSettings())


def kafka_messages(
    record: Record, emission_id: str | None = None, *, topic_prefix: str = PREFIX
) -> list[Message]:
    """Return the messages of a record as Kafka delivers them, each at a place of its own."""
    emission = emission_id or f"e-{record['runs'][0]['run_id']}"
    return [
        Message(m.key, m.value, topic_name(m.grain, topic_prefix), 0, offset, offset)
        for m, offset in zip(messages_of(record, emission), _offsets, strict=False)
    ]


def rows_of(record: Record, emission_id: str | None = None) -> dict[str, pa.Table]:
    """Return the rows of a record, as its emission brings them."""
    decoded = decode(kafka_messages(record, emission_id), PREFIX)
    return dict(table_rows(decoded, list(assemble(decoded.envelopes).values())))


def run_of(record: Record) -> RunKey:
    """Return which run a record is of."""
    run = record["runs"][0]
    return RunKey(run["pipeline"], run["run_id"])


def land(lake: Lake, *records: Record, emission_id: str | None = None) -> None:
    """Land each record by itself, whether its run is there or not."""
    for record in records:
        lake.land(rows_of(record, emission_id), [run_of(record)])
