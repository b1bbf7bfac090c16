"""Tables that are folders of the lake: made, asked and written by deltalake alone."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from hashlib import md5

import pyarrow as pa
from deltalake import DeltaTable, QueryBuilder
from deltalake.exceptions import DeltaError, TableNotFoundError

from conformare_schemas import OWNER_PROPERTY, TableDefinition
from conformare_sink.errors import LakeRefusedError, NoLakeError, TableReadError, first_line
from conformare_sink.lake.layout import commit_file
from conformare_sink.lake.store.storage import Storage
from conformare_sink.lake.tables.catalog.note import in_a_catalog, read_note
from conformare_sink.lake.tables.changes import changed_files, commits_since, read_files
from conformare_sink.lake.tables.definition import (
    MAPPED_FEATURES,
    create_table,
    missing_columns,
    require_unaltered,
    table_features,
)
from conformare_sink.lake.tables.folder_table import FolderTable
from conformare_sink.lake.tables.tables import (
    LAKE_TABLES,
    ROWS_AT_ONCE,
    TABLES_AT_ONCE,
    Changes,
    Table,
    Version,
)


def find_table(storage: Storage, name: str) -> DeltaTable | None:
    """Return a table that is a folder of a lake; None where there is none.

    Args:
        storage: The lake's folder.
        name: The table.

    Raises:
        StorageError: The store refuses.
    """
    try:
        return DeltaTable(storage.table_uri(name), storage_options=storage.options or None)
    except TableNotFoundError:
        return None
    except (DeltaError, OSError) as exc:
        raise storage.fault(exc) from exc


class FolderTables:
    """The tables of a lake that are its folders.

    Args:
        storage: The lake's folder.
    """

    dialect = "datafusion"

    def __init__(self, storage: Storage) -> None:
        self.storage = storage

    @property
    def arrivals(self) -> Storage:
        """Where rows come as files: the tables' own folders."""
        return self.storage

    def require_place(self) -> None:
        """Make sure that the lake does not have its tables in a catalog.

        Raises:
            LakeRefusedError: It has.
        """
        if (noted := read_note(self.storage)) is not None:
            raise in_a_catalog(self.storage.root, noted)

    def need_empty_folder(self) -> bool:
        """Return whether they are made in the lake's folder: they are."""
        return True

    def exist(self, table: str = "runs") -> bool:
        """Return whether there is a table."""
        return self._found(table) is not None

    def lake_id(self) -> str:
        """Return the identity of the lake."""
        return str(self._table("runs").metadata().id)

    def open(self) -> dict[str, Table]:
        """Open all tables for writing, made where they are missing, with every column of ours.

        All are loaded before the first is taken. So a writer that stops in between takes none that
        its successor has taken meanwhile.
        """
        runs, *others = LAKE_TABLES.values()
        first = self._loaded(runs)  # a lake is known by it, so it is made first
        with ThreadPoolExecutor(TABLES_AT_ONCE, "open") as pool:
            loaded = [*pool.map(self._loaded, others)]
            taken = [self._take(runs, first), *pool.map(self._take, others, loaded)]
        return dict(zip(LAKE_TABLES, taken, strict=True))

    def version(self, table: str, number: int | None = None) -> Version | None:
        """Return a version of a table, the newest one where none is named."""
        there = self._table(table).version() if number is None else number
        commit = self._commit(table, there)
        if commit is not None:
            return Version(there, md5(commit, usedforsecurity=False).hexdigest())
        return Version(there, None) if number is None else None

    def changes_since(self, table: str, number: int, columns: Collection[str]) -> Changes | None:
        """Return what has become of the rows of a table; None where nobody can tell."""
        commits = [*commits_since(partial(self._commit, table), number)]
        files = changed_files(commits[1:]) if commits else None
        if files is None:
            return None
        # With these, a column has another name in a file, and not all of its rows are there.
        if any(files) and table_features(self._table(table)) & MAPPED_FEATURES:
            return None
        added, gone = (partial(read_files, self.storage, table, those, columns) for those in files)
        return Changes(number + len(commits) - 1, added, gone if files.gone else None)

    def select(self, sql: str, *tables: str) -> Iterator[pa.Table]:
        """Return what a query finds, in portions."""
        query = QueryBuilder()
        try:
            for name in tables:
                query = query.register(name, self._table(name))
            yield from _in_portions(pa.RecordBatchReader.from_stream(query.execute(sql)))
        except (DeltaError, OSError, pa.ArrowException) as exc:
            for name in tables:
                self._require_unaltered(LAKE_TABLES[name])
            raise TableReadError(self.storage.root, ", ".join(tables), first_line(exc)) from exc

    def _loaded(self, definition: TableDefinition) -> DeltaTable:
        found = self._found(definition.name)
        if found is None:
            found = create_table(self.storage, definition)
        if found.metadata().configuration.get(OWNER_PROPERTY) != definition.name:
            raise LakeRefusedError(
                f"{self.storage.location(definition.name)} is not conformare's table "
                f"{definition.name!r}; choose another lake"
            )
        return found

    def _take(self, definition: TableDefinition, loaded: DeltaTable) -> Table:
        require_unaltered(self.storage.location(definition.name), definition, loaded)
        table = FolderTable(self.storage, definition, loaded)
        # A newer contract brings columns; the rows that are there have nothing in them.
        if new := missing_columns(definition, loaded):
            table.add_columns(new)
        return table

    def _require_unaltered(self, definition: TableDefinition) -> None:
        """Make sure that nobody's change is why a table cannot be read."""
        found = self._found(definition.name)
        if found is not None:
            require_unaltered(self.storage.location(definition.name), definition, found)

    def _commit(self, table: str, version: int) -> bytes | None:
        return self.storage.read(commit_file(table, version))

    def _found(self, name: str) -> DeltaTable | None:
        return find_table(self.storage, name)

    def _table(self, name: str) -> DeltaTable:
        found = self._found(name)
        if found is None:
            self.require_place()
            raise NoLakeError(f"there is no conformare lake at {self.storage.root}")
        return found


def _in_portions(batches: pa.RecordBatchReader) -> Iterator[pa.Table]:
    waiting: list[pa.RecordBatch] = []
    n_waiting = 0
    for batch in batches:
        waiting.append(batch)
        n_waiting += batch.num_rows
        if n_waiting >= ROWS_AT_ONCE:
            yield pa.Table.from_batches(waiting)
            waiting, n_waiting = [], 0
    yield pa.Table.from_batches(waiting, batches.schema)
