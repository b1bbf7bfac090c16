"""A lake whose known runs are kept in a folder, and what is read of its table `runs` for them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import deltalake
import pyarrow as pa
import pytest
from deltalake import DeltaTable

from conformare_sink.lake.digests import run_digest
from conformare_sink.lake.halves import array_of
from conformare_sink.lake.lake import Lake, open_for_writing
from conformare_sink.lake.tables.changes import read_files
from conformare_sink.lake.tables.folder import FolderTables
from support.lakes.landed import rows_of, run_of, tables_in
from support.messages.records import Record, make_record

RECORDS = [make_record(f"run-{n}", pipeline=f"p{n % 2}", rows={}) for n in range(20)]
RUNS = [run_of(record) for record in RECORDS]


class Read:
    """Counts what is read of the table `runs`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.tables = self.files = 0
        select = FolderTables.select

        def selected(tables: FolderTables, sql: str, *names: str) -> Iterator[pa.Table]:
            self.tables += names == ("runs",) and "md5" in sql
            return select(tables, sql, *names)

        def read(storage: Any, table: str, paths: Any, columns: Any) -> Iterator[pa.Table]:
            self.files += len(paths)
            return read_files(storage, table, paths, columns)

        monkeypatch.setattr(FolderTables, "select", selected)
        monkeypatch.setattr("conformare_sink.lake.tables.folder.read_files", read)

    def since(self) -> tuple[int, int]:
        """How often the whole table was read, and how many files, since it was asked last."""
        found, self.tables, self.files = (self.tables, self.files), 0, 0
        return found


@contextmanager
def opened(tmp_path: Path, checkpoint: str = "checkpoint") -> Iterator[Lake]:
    """The lake, by a writer that has a folder for it."""
    with open_for_writing(tables_in(tmp_path / "lake"), "a test", tmp_path / checkpoint) as lake:
        yield lake


def known_in(lake: Lake) -> list[int]:
    """Numbers of the runs that a lake knows, asked in both ways."""
    digests = [*map(run_digest, RUNS)]
    by_digest, _ = lake.settled_digests(array_of(digests))
    by_key = lake.settled(RUNS).known
    assert by_digest == {*map(run_digest, by_key)}
    return [number for number, run in enumerate(RUNS) if run in by_key]


def runs(tmp_path: Path) -> DeltaTable:
    """The table as somebody else opens it."""
    return DeltaTable(tmp_path / "lake" / "runs")


def append_by_hand(tmp_path: Path, *records: Record) -> None:
    """Somebody else lands runs."""
    for record in records:
        deltalake.write_deltalake(runs(tmp_path), rows_of(record)["runs"], mode="append")
