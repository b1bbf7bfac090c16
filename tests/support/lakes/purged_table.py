"""The table `purged` of a lake in a folder, written without a lake."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
from deltalake import DeltaTable

from conformare_schemas import arrow_schema
from conformare_sink.lake.store.storage import Storage
from conformare_sink.lake.tables.definition import create_table
from conformare_sink.lake.tables.folder_table import FolderTable
from conformare_sink.lake.tables.own import PURGED
from support.lakes.checker import read_table

TAKEN_OVER = "was taken over by another writer"
SCHEMA = arrow_schema(PURGED.columns)


def tombstone(run_id: str) -> pa.Table:
    """Return a row of the table."""
    return pa.table([[run_id], ["p"], [None]], schema=SCHEMA)


def loaded(root: Path) -> DeltaTable:
    """Return the table; make it where it is missing."""
    return create_table(Storage(str(root)), PURGED)


def opened(root: Path, table: DeltaTable | None = None) -> FolderTable:
    """Return a writer that has just taken the table."""
    return FolderTable(Storage(str(root)), PURGED, table or DeltaTable(root / "purged"))


def run_ids(root: Path) -> list[str]:
    """Return what is in the table."""
    return sorted(row["run_id"] for row in read_table(root, "purged"))
