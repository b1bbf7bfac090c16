"""What has come into a lake since it was looked at last: the files of new commits, not all runs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.parquet as pq
from deltalake.fs import DeltaStorageHandler

from conformare.fleet.stores._delta import OPTIONAL, DeltaTables
from conformare.fleet.stores._store import Changes, Row
from conformare_schemas import arrow_schema, table_columns

MOST_COMMITS = 500
"""After more commits than these, everything is read again: that is faster."""

_ALTERING = ("metaData", "protocol")


class Watch:
    """Looks at the tables of a lake again and again.

    Args:
        tables: The tables, as they were read.
    """

    def __init__(self, tables: DeltaTables) -> None:
        self._tables = tables
        self._look()

    def changes(self) -> Changes | None:
        """Return what has come since the last call; None where runs went, or that cannot be told.

        Raises:
            FleetError: A table cannot be read any more.
        """
        before, tables = self._seen, self._tables
        try:
            if tables.is_doubtful or self._last_commit() != self._commit:
                raise _UnclearError  # noqa: TRY301 - told like the others
            tables.is_doubtful = True  # until all of this has been done
            tables.refresh()
            self._look()
            added = {name: list(self._added(name, seen)) for name, seen in before.items()}
            runs = [row for path in added["runs"] for row in self._rows(path)]
            others = any(before.get(name) != self._seen.get(name) for name in OPTIONAL)
            tables.is_doubtful = False
            return Changes(runs, others)
        except (_UnclearError, ValueError, OSError, pa.ArrowException):
            # Restored or replaced, it may be another table.
            tables.reopen()
            self._look()
            return None

    def _look(self) -> None:
        """Take down the identity and the version of every table, and the last commit of `runs`."""
        self._seen = {
            name: _Seen(str(table.metadata().id), table.version())
            for name, table in self._tables.all()
        }
        self._commit = self._last_commit()

    def _last_commit(self) -> bytes | None:
        """Return the last commit of `runs` that was seen, as the lake has it now.

        Where a table was removed and made anew, it is another one; its number does not tell.
        """
        try:
            return _commit(self._tables.files("runs"), self._seen["runs"].version)
        except FileNotFoundError:
            return None

    def _added(self, name: str, before: _Seen) -> Iterator[str]:
        """Yield the files that new commits have added to a table.

        Raises:
            _UnclearError: They have done more.
        """
        after = self._seen[name]
        if before.table_id != after.table_id or after.version - before.version > MOST_COMMITS:
            raise _UnclearError
        files = self._tables.files(name)
        for version in range(before.version + 1, after.version + 1):
            yield from _files_of(_commit(files, version))

    def _rows(self, path: str) -> list[Row]:
        file = self._tables.files("runs").open_input_file(path)
        found = pq.ParquetFile(pa.PythonFile(file, "r")).read()
        schema = arrow_schema(table_columns("runs"))
        # Spark may keep times as INT96, and a column that is new is not in every file.
        columns = [
            found[field.name].cast(field.type)
            if field.name in found.column_names
            else pa.nulls(len(found), field.type)
            for field in schema
        ]
        rows: list[Row] = pa.table(columns, schema=schema).to_pylist()
        for row in rows:
            row["tags"] = dict(row["tags"] or ())
        return rows


class _Seen(NamedTuple):
    """A table as it was looked at."""

    table_id: str
    version: int


class _UnclearError(Exception):
    """What was done to a table cannot be told from its commits, or was more than to add rows."""


def _commit(files: DeltaStorageHandler, version: int) -> bytes:
    return bytes(files.open_input_file(f"_delta_log/{version:020}.json").read())


def _files_of(commit: bytes) -> Iterator[str]:
    """Yield the files that a commit has added to a table; a compaction adds no rows."""
    for line in commit.splitlines():
        action = json.loads(line) if line.strip() else {}
        removed, added = action.get("remove"), action.get("add")
        if any(kind in action for kind in _ALTERING):
            raise _UnclearError
        if removed and removed.get("dataChange", True):
            raise _UnclearError
        if added and added.get("deletionVector"):
            raise _UnclearError
        if added and added.get("dataChange", True):
            yield unquote(added["path"])
