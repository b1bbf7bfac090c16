"""Runs that land in a lake by hand: without topics, and without Spark."""

from __future__ import annotations

import itertools
import uuid
from pathlib import Path

import obstore
import pyarrow as pa

from conformare_schemas import topic_name
from conformare_sink.lake.lake import Lake
from conformare_sink.lake.store.storage import Storage
from conformare_sink.lake.tables.folder import FolderTables
from conformare_sink.lake.tables.places import folder_tables
from conformare_sink.messages.assembly import assemble, table_rows
from conformare_sink.messages.decode import decode
from conformare_sink.messages.emission import RunKey
from conformare_sink.messages.message import Message
from conformare_sink.options import StorageSettings
from support.messages.produce import messages_of
from support.messages.records import Record
from support.servers.object_store import ObjectStore

PREFIX = "by-hand."

_offsets = itertools.count()


def tables_in(lake: object) -> FolderTables:
    """Return the tables of a lake in a folder."""
    return folder_tables(str(lake), StorageSettings())


def tables_at(store: ObjectStore, path: str) -> FolderTables:
    """Return the tables of a lake in an object store."""
    return FolderTables(Storage(store.url(path), store.storage_options))


def new_path() -> str:
    """Return a path in an object store that no other test has."""
    return f"test {uuid.uuid4().hex}"


def fetch(store: ObjectStore, path: str, folder: Path) -> Path:
    """Copy a lake out of an object store, to look at it; return where it is then."""
    client = store.client()
    for batch in obstore.list(client, path):
        for found in batch:
            copy = folder / found["path"]
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(obstore.get(client, found["path"]).bytes())
    return folder / path


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
