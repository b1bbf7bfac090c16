"""What a lake's tables are asked and told, wherever they are: in folders or in a catalog."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import pyarrow as pa

from conformare_schemas import GRAINS, TableDefinition, grain_table
from conformare_sink.lake.store.storage import Storage
from conformare_sink.lake.tables.data_file import DataFile
from conformare_sink.lake.tables.own import PENDING, PURGED, QUARANTINE

LAKE_TABLES: dict[str, TableDefinition] = {
    table.name: table for table in (*map(grain_table, GRAINS), PENDING, QUARANTINE, PURGED)
}
"""Every table of a lake by its name, `runs` first: it tells a lake."""

TABLES_AT_ONCE = 4
"""How many are opened at the same time."""

Rows = list[dict[str, Any]]

Offsets = Mapping[str, int]
"""How far a lake has read: the name of a log → the offset of the first message not read."""


@dataclass(frozen=True)
class Compacted:
    """What was done to the files of one table."""

    compacted: int = 0
    """Small files that were compacted."""
    compacted_into: int = 0
    """Files that they became."""


@dataclass(frozen=True)
class Cleaned:
    """What was deleted in the folder of one table."""

    deleted: int = 0
    """Files that no version within the retention needs."""
    log_deleted: int = 0
    """Files of the table's log."""


class FileTable(Protocol):
    """A table to which rows may come as files that lie in its folder, with the columns of ours."""

    @property
    def version(self) -> int:
        """The newest version that this writer has seen."""

    def add(self, files: Collection[DataFile], read: Offsets | None = None) -> None:
        """Add files that lie in the table's folder, all of them in one commit.

        Args:
            files: The files.
            read: How far the lake has read with this commit.

        Raises:
            TableWriteError: It could not be committed.
            LakeBusyError: Another writer has taken the lake over.
        """

    def added_since(self, version: int) -> set[str] | None:
        """Return the files that were added after a version; None where the log does not go back."""

    def take_out(self, paths: Collection[str]) -> set[str]:
        """Take files out of the table, in one commit; return those that were in it.

        Raises:
            TableWriteError: It could not be committed.
            LakeBusyError: Another writer has taken the lake over.
        """


class Table(Protocol):
    """A table that is open for writing, by the lake's only writer."""

    @property
    def table_id(self) -> str:
        """Its identity: another one at the same place has another."""

    @property
    def files(self) -> FileTable | None:
        """The table as one that takes files; None where it takes rows only."""

    def append(self, rows: pa.Table, read: Offsets | None = None) -> None:
        """Append rows that have the table's columns, all of them in one commit.

        Args:
            rows: The rows; none for a commit that only notes what was read.
            read: How far the lake has read with this commit.

        Raises:
            TableWriteError: They could not be written.
            LakeBusyError: Another writer has taken the lake over.
        """

    def delete(self, keys: pa.Table) -> int:
        """Delete the rows that agree with one of some keys in all of the keys' columns.

        Returns:
            How many rows there were.

        Raises:
            TableWriteError: They could not be deleted; none was.
            LakeBusyError: Another writer has taken the lake over.
        """

    def fence(self) -> None:
        """Make sure that no earlier commit comes any more: of ours or of a writer before us.

        The request of one that seemed to fail may still be on its way.

        Raises:
            TableWriteError: That cannot be known yet.
            LakeBusyError: Another writer has taken the lake over.
        """

    def changed_by_others(self) -> bool:
        """Return whether rows have come or gone by somebody else since it was asked last."""

    def read_to(self, logs: Collection[str]) -> dict[str, int]:
        """Return how far some logs were read, as the newest commit that names each says."""

    def compact(self) -> Compacted:
        """Compact small files, with rows that are near each other in one file."""

    def clean(self, retention_hours: int) -> Cleaned:
        """Delete files that no version within the retention needs, and old files of the log.

        Raises:
            RetentionTooShortError: Delta keeps files for longer.
        """


class LakeTables(Protocol):
    """The tables of one lake, asked by SQL that deltalake and Spark understand alike."""

    @property
    def storage(self) -> Storage:
        """The lake's folder."""

    @property
    def dialect(self) -> str:
        """Whose SQL `select` understands where the two differ: `datafusion` or `spark`."""

    def require(self) -> None:
        """Make sure that there is a lake, and that its tables are here.

        Raises:
            NoLakeError: There is none.
            LakeRefusedError: Its tables are elsewhere.
        """

    def require_place(self) -> None:
        """Make sure that the tables may be here; raises LakeRefusedError."""

    def need_empty_folder(self) -> bool:
        """Return whether they are made in the lake's folder."""

    def exist(self, table: str = "runs") -> bool:
        """Return whether there is a table; by `runs`, which is created first, a lake is known."""

    def lake_id(self) -> str:
        """Return the identity of the lake: another one at the same place has another."""

    def open(self) -> dict[str, Table]:
        """Open all tables for writing, made where they are missing, with every column of ours.

        Raises:
            LakeRefusedError: Something else is in the place of one.
            LakeBusyError: Another writer opens them just now.
        """

    def select(self, sql: str, *tables: str) -> Iterator[pa.Table]:
        """Return what a query finds, in portions; at least one, which has the columns."""


def select_all(tables: LakeTables, sql: str, *names: str) -> pa.Table:
    """Return all that a query finds as one table.

    Args:
        tables: Where it asks.
        sql: The query.
        names: The tables that it names.
    """
    return pa.concat_tables(tables.select(sql, *names))


def select_rows(tables: LakeTables, sql: str, *names: str) -> Rows:
    """Return the rows that a query finds.

    Args:
        tables: Where it asks.
        sql: The query.
        names: The tables that it names.
    """
    rows: Rows = select_all(tables, sql, *names).to_pylist()
    return rows
