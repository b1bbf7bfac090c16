"""What a lake's tables are asked and told, wherever they are: in folders or in a catalog."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import pyarrow as pa

from conformare_schemas import GRAINS, TableDefinition, grain_table
from conformare_sink.errors import NoLakeError
from conformare_sink.lake.store.storage import Storage
from conformare_sink.lake.tables.data_file import DataFile
from conformare_sink.lake.tables.own import ACKNOWLEDGEMENTS, PENDING, PURGED, QUARANTINE

LAKE_TABLES: dict[str, TableDefinition] = {
    table.name: table
    for table in (*map(grain_table, GRAINS), PENDING, QUARANTINE, PURGED, ACKNOWLEDGEMENTS)
}
"""Every table of a lake by its name, `runs` first: it tells a lake."""

TABLES_AT_ONCE = 4
"""How many are opened at the same time."""

ROWS_AT_ONCE = 1_000_000
"""Rows that a portion of what is selected has, more or less."""

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


RowsOf = Callable[[], Iterator[pa.Table]]
"""Reads rows, in portions."""


@dataclass(frozen=True)
class Version:
    """A version of a table."""

    number: int
    commit: str | None
    """What tells it from one of the same number, after the table was put back from a copy; None
    where its commit is no longer in the log."""


@dataclass(frozen=True)
class Changes:
    """What has become of the rows of a table since one of its versions."""

    version: int
    """The newest version."""
    added: RowsOf
    """Reads the rows that have come; some may have been there before."""
    gone: RowsOf | None
    """Reads the rows of files that are gone: those that are not in `added` are gone as well. None
    where no row is gone."""


class FileTable(Protocol):
    """A table whose files are those that came: nobody writes their rows again."""

    @property
    def version(self) -> int:
        """The newest version that this writer has seen."""

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
        """The table as one whose files are those that came; None where it is none."""

    @property
    def takes_files(self) -> bool:
        """Whether rows may come as files, with the columns of ours."""

    def add(self, files: Collection[DataFile], read: Offsets | None = None) -> None:
        """Append the rows of files that lie among the lake's `arrivals`, all of them in one commit.

        Args:
            files: The files.
            read: How far the lake has read with this commit.

        Raises:
            TableAlteredError: The table takes no files any more.
            TableWriteError: They could not be written.
            LakeBusyError: Another writer has taken the lake over.
        """

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

    @property
    def told_version(self) -> int | None:
        """The newest version of which every change is this writer's, or others' and told of.

        None where there are changes of others that `changed_by_others` has not told yet.
        """

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
    def arrivals(self) -> Storage:
        """Where rows come as files, in one folder a table."""

    @property
    def dialect(self) -> str:
        """Whose SQL `select` understands where the two differ: `datafusion` or `spark`."""

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

    def version(self, table: str, number: int | None = None) -> Version | None:
        """Return a version of a table, the newest one where none is named.

        None where it is not there, or nobody can tell any more.

        Raises:
            NoLakeError: There is no such table.
            StorageError: The store refuses.
        """

    def changes_since(self, table: str, number: int, columns: Collection[str]) -> Changes | None:
        """Return what has become of the rows of a table; None where nobody can tell.

        Args:
            table: The table.
            number: Its version that is known. It is the caller's to make sure that this is no
                version of the same number of another history.
            columns: What is read of the rows.

        Raises:
            TableReadError: The log cannot be read; reading rows raises it where a file is gone.
            StorageError: The store refuses.
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


def require_lake(tables: LakeTables) -> None:
    """Make sure that there is a lake, and that its tables are here.

    Args:
        tables: The lake's tables.

    Raises:
        NoLakeError: There is none.
        LakeRefusedError: Its tables are elsewhere.
        StorageError: The store refuses.
    """
    tables.storage.check()
    tables.require_place()
    if not tables.exist():
        raise NoLakeError(f"there is no conformare lake at {tables.storage.root}")


def select_rows(tables: LakeTables, sql: str, *names: str) -> Rows:
    """Return the rows that a query finds.

    Args:
        tables: Where it asks.
        sql: The query.
        names: The tables that it names.
    """
    rows: Rows = select_all(tables, sql, *names).to_pylist()
    return rows
