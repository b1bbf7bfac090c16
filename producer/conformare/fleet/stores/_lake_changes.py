"""What has come into a lake since it was looked at last: the files of new commits, not all runs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.parquet as pq
from deltalake.fs import DeltaStorageHandler

from conformare.fleet.stores._delta import OPTIONAL, DeltaTables
from conformare.fleet.stores._store import Changes, Row

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
        self._seen = self._state()

    def changes(self) -> Changes | None:
        """Return what has come since the last call; None where runs went, or that cannot be told."""
        before = self._seen
        self._tables.refresh()
        after = self._state()
        self._seen = after
        others = any(before.get(name) != after.get(name) for name in OPTIONAL)
        runs = self._new_runs(before["runs"], after["runs"])
        if runs is None:
            # Restored or replaced, it may be another table.
            self._tables.reopen()
            self._seen = self._state()
            return None
        return Changes(runs, others)

    def _state(self) -> dict[str, tuple[str, int]]:
        """Return the identity and the version of the tables that are watched."""
        return {
            name: (str(table.metadata().id), table.version())
            for name in ("runs", *OPTIONAL)
            if self._tables.has(name)
            for table in [self._tables.table(name)]
        }

    def _new_runs(self, before: tuple[str, int], after: tuple[str, int]) -> list[Row] | None:
        if before == after:
            return []
        if before[0] != after[0] or not 0 < after[1] - before[1] <= MOST_COMMITS:
            return None
        files = self._tables.files("runs")
        try:
            paths = [
                path
                for version in range(before[1] + 1, after[1] + 1)
                for path in _added(_commit(files, version))
            ]
            return [row for path in paths for row in self._rows(files, path)]
        except (_UnclearError, OSError, pa.ArrowException):
            return None

    def _rows(self, files: DeltaStorageHandler, path: str) -> list[Row]:
        columns = [*self._tables.columns("runs"), "emission_id"]
        found = pq.ParquetFile(pa.PythonFile(files.open_input_file(path), "r")).read(columns)
        rows: list[Row] = found.to_pylist()
        for row in rows:
            row["tags"] = dict(row["tags"] or ())
        return rows


class _UnclearError(Exception):
    """A commit did more than to add rows."""


def _commit(files: DeltaStorageHandler, version: int) -> list[dict[str, Any]]:
    content = bytes(files.open_input_file(f"_delta_log/{version:020}.json").read())
    return [json.loads(line) for line in content.splitlines() if line.strip()]


def _added(actions: list[dict[str, Any]]) -> Iterator[str]:
    """Yield the files that a commit has added to a table; a compaction adds no rows."""
    for action in actions:
        removed, added = action.get("remove"), action.get("add")
        if any(kind in action for kind in _ALTERING):
            raise _UnclearError
        if removed and removed.get("dataChange", True):
            raise _UnclearError
        if added and added.get("deletionVector"):
            raise _UnclearError
        if added and added.get("dataChange", True):
            yield unquote(added["path"])
