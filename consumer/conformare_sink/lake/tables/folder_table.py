"""One table that is a folder: what a writer does to it, each in one commit."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, write_deltalake

from conformare_schemas import Column, TableDefinition
from conformare_sink.errors import TableAlteredError, TableWriteError
from conformare_sink.lake.store.storage import Storage
from conformare_sink.lake.tables.actions import HOOKS, added, commit_actions, live_files, removed
from conformare_sink.lake.tables.compaction import Replacement, clean, replacements
from conformare_sink.lake.tables.data_file import DataFile
from conformare_sink.lake.tables.definition import fields, is_as_defined, lost_columns
from conformare_sink.lake.tables.fenced_log import Change, FencedLog
from conformare_sink.lake.tables.tables import Cleaned, Compacted, FileTable, Offsets

READ = "conformare.read:"
"""Begins the application whose version is the offset up to which a log was read."""


class FolderTable:
    """A table that is open for writing, by one writer.

    Args:
        storage: The lake's folder.
        definition: What the table is.
        table: The table, loaded.

    Raises:
        LakeBusyError: Another writer opens it just now.
        LakeRefusedError: Somebody has given it a feature with which it cannot be written.
    """

    def __init__(self, storage: Storage, definition: TableDefinition, table: DeltaTable) -> None:
        self._storage = storage
        self._definition = definition
        self._location = storage.location(definition.name)
        self._log = FencedLog(storage, definition.name, table, _note)

    @property
    def table_id(self) -> str:
        """Its identity: another one at the same place has another."""
        return self._log.table_id

    def append(self, rows: pa.Table, read: Offsets | None = None) -> None:
        """Append rows in one commit, or only note how far logs were read."""
        self._log.commit(self._append(rows) if rows.num_rows else _note, _as_read(read))

    @property
    def version(self) -> int:
        """The newest version that this writer has seen."""
        return self._log.table.version()

    @property
    def files(self) -> FileTable | None:
        """The table itself, unless somebody has altered what it wants of its rows."""
        return self if is_as_defined(self._definition, self._log.table) else None

    @property
    def takes_files(self) -> bool:
        """Whether nobody has altered what the table wants of its rows."""
        return self.files is not None

    def add(self, files: Collection[DataFile], read: Offsets | None = None) -> None:
        """Add files that lie in the table's folder, in one commit.

        Raises:
            TableAlteredError: Somebody has altered what the table wants of its rows.
        """
        actions = added(files)

        def add(table: DeltaTable, properties: CommitProperties) -> dict[str, Any]:
            if not is_as_defined(self._definition, table):
                raise TableAlteredError(self._location)
            return commit_actions(table, actions, properties)

        self._log.commit(add, _as_read(read))

    def added_since(self, version: int) -> set[str] | None:
        """Return the files that were added after a version; None where the log does not go back."""
        return self._log.added_since(version)

    def take_out(self, paths: Collection[str]) -> set[str]:
        """Take files out of the table, in one commit; return those that were in it."""
        taken: set[str] = set()

        def take_out(table: DeltaTable, properties: CommitProperties) -> dict[str, Any]:
            sizes = {path: size for path, size in live_files(table).items() if path in paths}
            taken.update(sizes)
            return commit_actions(table, removed(sizes), properties)

        self._log.commit(take_out, rebases=False)
        return taken

    def delete(self, keys: pa.Table) -> int:
        """Delete the rows that agree with one of some keys in all of the keys' columns."""
        distinct = keys.group_by(keys.column_names).aggregate([])
        if not distinct.num_rows:
            return 0
        delete = _delete(distinct)

        def delete_unless_renamed(
            table: DeltaTable, properties: CommitProperties
        ) -> dict[str, Any]:
            self._require_columns(distinct.column_names)
            return delete(table, properties)

        told = self._log.commit(delete_unless_renamed, rebases=False)
        return int(told.get("num_target_rows_deleted", 0))

    def add_columns(self, columns: tuple[Column, ...]) -> None:
        """Add columns of a newer contract."""

        def add(table: DeltaTable, properties: CommitProperties) -> dict[str, Any]:
            table.alter.add_columns(
                fields(columns), commit_properties=properties, post_commithook_properties=HOOKS
            )
            table.update_incremental()
            return {}

        self._log.commit(add, rebases=False)

    def fence(self) -> None:
        """Commit nothing, so that whatever was not committed before never is."""
        self._log.commit(_note)

    def changed_by_others(self) -> bool:
        """Return whether rows have come or gone by somebody else since it was asked last."""
        return self._log.changed_by_others()

    @property
    def told_version(self) -> int | None:
        """The newest version, unless others have committed and nobody has asked about that."""
        return self._log.told_version

    def read_to(self, logs: Collection[str]) -> dict[str, int]:
        """Return how far some logs were read, of those known."""
        found = self._log.transactions([f"{READ}{log}" for log in logs])
        return {app.removeprefix(READ): offset for app, offset in found.items()}

    def compact(self) -> Compacted:
        """Compact small files; another process may write meanwhile, and so may this one."""
        n_compacted = n_made = 0
        for replacement in replacements(self._storage, self._definition, self._log.load()):
            self._log.commit(self._replace(replacement), rebases=False)
            n_compacted += len(replacement.files)
            n_made += 1
        return Compacted(n_compacted, n_made)

    def clean(self, retention_hours: int) -> Cleaned:
        """Delete files that no version within the retention needs, and old files of the log."""
        return clean(self._storage, self._definition, self._log.load(), retention_hours)

    def _append(self, rows: pa.Table) -> Change:
        def append(table: DeltaTable, properties: CommitProperties) -> dict[str, Any]:
            write_deltalake(
                table,
                self._fitted(rows),
                mode="append",
                commit_properties=properties,
                post_commithook_properties=HOOKS,
            )
            return {}

        return append

    def _replace(self, replacement: Replacement) -> Change:
        def replace(table: DeltaTable, properties: CommitProperties) -> dict[str, Any]:
            if not replacement.files.keys() <= live_files(table).keys():
                raise TableWriteError(
                    self._location, "the files that were being compacted have been changed"
                )
            gone = removed(replacement.files, changes_data=False)
            new = added([replacement.added], changes_data=False)
            return commit_actions(table, [*new, *gone], properties)

        return replace

    def _require_columns(self, names: Collection[str]) -> None:
        there = {name.lower() for name in self._log.schema.names}
        if lost := {name.lower() for name in names} - there:
            raise lost_columns(self._location, lost)

    def _fitted(self, rows: pa.Table) -> pa.Table:
        """Return rows with the columns that the table has by now, in its order."""
        schema = self._log.schema
        if rows.schema.names == schema.names:
            return rows
        ours = {name.lower(): rows.column(name) for name in rows.column_names}
        self._require_columns(ours)
        columns = [
            ours.get(field.name.lower(), pa.nulls(rows.num_rows, field.type)) for field in schema
        ]
        return pa.table(columns, names=schema.names)


def _as_read(read: Offsets | None) -> dict[str, int]:
    """Return how far logs were read as versions of applications."""
    return {f"{READ}{log}": offset for log, offset in (read or {}).items()}


def _delete(keys: pa.Table) -> Change:
    same = " AND ".join(f't."{name}" = k."{name}"' for name in keys.column_names)

    def delete(table: DeltaTable, properties: CommitProperties) -> dict[str, Any]:
        merge = table.merge(
            keys,
            same,
            source_alias="k",
            target_alias="t",
            # Otherwise the least and the greatest key are not known, and every file is read.
            streamed_exec=False,
            commit_properties=properties,
            post_commithook_properties=HOOKS,
        )
        return merge.when_matched_delete().execute()

    return delete


def _note(table: DeltaTable, properties: CommitProperties) -> dict[str, Any]:
    """Commit nothing but the transactions."""
    return commit_actions(table, [], properties)
