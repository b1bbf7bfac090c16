"""One table that is a folder: every commit of ours to it, and the fence that they carry.

The fence: a writer that opens a table commits a fencing token there, higher by one than that of the
writer before, as an application transaction (Delta's protocol, "Transaction Identifiers"). Each of
its commits carries the token again. deltalake refuses a commit when a transaction of the same
application has been committed since the table was loaded; and a writer that loads a table and finds
another token there says itself that it has lost. So a writer that was taken over from, whatever it
was doing, commits nothing any more.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pyarrow as pa
from deltalake import (
    CommitProperties,
    DeltaTable,
    PostCommitHookProperties,
    Transaction,
    write_deltalake,
)
from deltalake.exceptions import DeltaError

from conformare_schemas import Column, TableDefinition
from conformare_sink.errors import LakeBusyError, LakeRefusedError, TableWriteError, first_line
from conformare_sink.lake.layout import commit_file
from conformare_sink.lake.store.storage import Storage
from conformare_sink.lake.tables.compaction import Replacement, clean, live_files, replacements
from conformare_sink.lake.tables.definition import fields, require_writable
from conformare_sink.lake.tables.tables import Cleaned, Compacted, Offsets

FENCE = "conformare.writer"
"""Application of the fencing token."""
READ = "conformare.read:"
"""Begins the application whose version is the offset up to which a log was read."""
COMMIT = "conformare.commit"
"""Names a commit in its own file: a store may have taken it although its answer was lost."""

_Change = Callable[[DeltaTable, CommitProperties], dict[str, Any]]

ATTEMPTS = 5
"""How often a commit is tried, each time upon the newest version of the table."""

LOG_SECONDS = 24 * 3600.0
"""For at least so long a commit stays in the log; the tables' property says a week."""

_CHANGES_ROWS = b'"dataChange":true'
_HOOKS = PostCommitHookProperties(create_checkpoint=True, cleanup_expired_logs=False)
"""Maintenance deletes old files of the log; a batch should not wait for that."""


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
        self._uri = storage.table_uri(definition.name)
        self._lock = threading.Lock()
        self.table_id = str(table.metadata().id)
        self._take(table)
        self._seen = table.version()
        self._foreign: list[range] = []
        """Versions of others that nobody has looked at yet."""
        self._asked = time.monotonic()
        self._is_in_doubt = False
        """Whether the last commit failed, or seemed to."""
        self._held = table.transaction_version(FENCE) or 0
        """The token that the table has; ours from the first commit on."""
        self._token = self._held + 1
        self._commit(self._note)

    def append(self, rows: pa.Table, read: Offsets | None = None) -> None:
        """Append rows in one commit, or only note how far logs were read."""
        with self._lock:
            self._commit(self._append(rows) if rows.num_rows else self._note, read)

    def delete(self, keys: pa.Table) -> int:
        """Delete the rows that agree with one of some keys in all of the keys' columns."""
        names = keys.column_names
        distinct = keys.group_by(names).aggregate([])
        if not distinct.num_rows:
            return 0
        same = " AND ".join(f't."{name}" = k."{name}"' for name in names)

        def delete(table: DeltaTable, properties: CommitProperties) -> dict[str, Any]:
            merge = table.merge(
                distinct,
                same,
                source_alias="k",
                target_alias="t",
                # Otherwise the least and the greatest key are not known, and every file is read.
                streamed_exec=False,
                commit_properties=properties,
                post_commithook_properties=_HOOKS,
            )
            return merge.when_matched_delete().execute()

        with self._lock:
            return int(self._commit(delete, rebases=False).get("num_target_rows_deleted", 0))

    def add_columns(self, columns: tuple[Column, ...]) -> None:
        """Add columns of a newer contract."""

        def add(table: DeltaTable, properties: CommitProperties) -> dict[str, Any]:
            table.alter.add_columns(
                fields(columns), commit_properties=properties, post_commithook_properties=_HOOKS
            )
            return {}

        with self._lock:
            self._commit(add)
            self._take(self._load())

    def settle(self) -> None:
        """Make sure that no commit comes any more that seemed to fail.

        Its request may still be on its way. It is refused when its version is another's.
        """
        with self._lock:
            if self._is_in_doubt:
                self._commit(self._note)

    def changed_by_others(self) -> bool:
        """Return whether rows have come or gone by somebody else since it was asked last."""
        with self._lock:
            asked, self._asked = self._asked, time.monotonic()
            changed = False
            if self._asked - asked > LOG_SECONDS:
                # The next commits may have been cleaned away by now.
                newest = self._load().version()
                changed, self._seen = newest > self._seen, newest
            foreign, self._foreign = self._foreign, []
            for version in (one for several in foreign for one in several):
                content = self._content(version)
                changed |= content is None or _CHANGES_ROWS in content
            while (content := self._content(self._seen + 1)) is not None:
                changed |= _CHANGES_ROWS in content
                self._seen += 1
            return changed

    def read_to(self, log: str) -> int | None:
        """Return how far a log was read."""
        return self._table.transaction_version(f"{READ}{log}")

    def compact(self) -> Compacted:
        """Compact small files; another process may write meanwhile, and so may this one."""
        n_compacted = n_made = 0
        for replacement in replacements(self._storage, self._definition, self._load()):
            with self._lock:
                self._commit(self._replace(replacement), rebases=False)
            n_compacted += len(replacement.files)
            n_made += 1
        return Compacted(n_compacted, n_made)

    def clean(self, retention_hours: int) -> Cleaned:
        """Delete files that no version within the retention needs, and old files of the log."""
        return clean(self._storage, self._definition, self._load(), retention_hours)

    def _append(self, rows: pa.Table) -> _Change:
        def append(table: DeltaTable, properties: CommitProperties) -> dict[str, Any]:
            write_deltalake(
                table,
                self._fitted(rows),
                mode="append",
                commit_properties=properties,
                post_commithook_properties=_HOOKS,
            )
            return {}

        return append

    def _replace(self, replacement: Replacement) -> _Change:
        def replace(table: DeltaTable, properties: CommitProperties) -> dict[str, Any]:
            if not replacement.files.keys() <= live_files(table):
                raise TableWriteError(
                    self._location, "the files that were being compacted have been changed"
                )
            table.create_write_transaction(
                replacement.actions(),
                "append",
                table.schema(),
                commit_properties=properties,
                post_commithook_properties=_HOOKS,
            )
            table.update_incremental()
            return {}

        return replace

    def _note(self, table: DeltaTable, properties: CommitProperties) -> dict[str, Any]:
        """Commit nothing but the transactions."""
        table.create_write_transaction(
            [],
            "append",
            table.schema(),
            commit_properties=properties,
            post_commithook_properties=_HOOKS,
        )
        table.update_incremental()
        return {}

    def _commit(
        self, change: _Change, read: Offsets | None = None, *, rebases: bool = True
    ) -> dict[str, Any]:
        """Make a change in one commit, and return what deltalake tells of it.

        Args:
            change: Makes it.
            read: How far logs were read with it.
            rebases: Whether it may be committed upon versions that it has not seen. Only what
                deletes no file may: deltalake (1.6.6) does not notice that a file is gone already.
        """
        commit_id = str(uuid4())
        transactions = [Transaction(FENCE, self._token)]
        transactions += [Transaction(f"{READ}{log}", n) for log, n in (read or {}).items()]
        properties = CommitProperties(
            custom_metadata={COMMIT: commit_id},
            app_transactions=transactions,
            max_commit_retries=None if rebases else 0,
        )
        told: dict[str, Any] = {}
        self._is_in_doubt = True
        for attempt in range(1, ATTEMPTS + 1):
            before = self._table.version()
            try:
                told = change(self._table, properties)
            except (DeltaError, OSError) as exc:
                newest = self._load()
                if not self._has_landed(newest, before, commit_id):
                    self._require_own(newest)
                    if attempt == ATTEMPTS:
                        raise TableWriteError(self._location, self._explain(exc)) from exc
                    # It may lie in what was loaded: somebody has altered the table since.
                    self._take(newest)
                    continue
                self._take(newest)
            self._held = self._token
            self._see(self._table.version())
            self._is_in_doubt = False
            break
        return told

    def _take(self, table: DeltaTable) -> None:
        require_writable(self._location, table)
        self._table = table
        self._schema = pa.schema(table.schema().to_arrow())

    def _load(self) -> DeltaTable:
        try:
            table = DeltaTable(self._uri, storage_options=self._storage.options or None)
        except (DeltaError, OSError) as exc:
            raise TableWriteError(self._location, self._explain(exc)) from exc
        if str(table.metadata().id) != self.table_id:
            raise LakeRefusedError(f"{self._location} was replaced by another table meanwhile")
        return table

    def _has_landed(self, newest: DeltaTable, before: int, commit_id: str) -> bool:
        """Return whether a commit is in the log, although it was told to have failed."""
        # Not by the table's history, which keeps all threads waiting for the store.
        contents = map(self._content, range(newest.version(), before, -1))
        return any(content and commit_id.encode() in content for content in contents)

    def _require_own(self, newest: DeltaTable) -> None:
        """Make sure that no other writer has opened the table since this one did."""
        if (newest.transaction_version(FENCE) or 0) != self._held:
            raise LakeBusyError(f"{self._location} was taken over by another writer")

    def _see(self, version: int) -> None:
        """Take note of a commit of ours; what lies between it and the one before is others'."""
        if version > self._seen + 1:
            self._foreign.append(range(self._seen + 1, version))
        self._seen = max(self._seen, version)

    def _content(self, version: int) -> bytes | None:
        return self._storage.read(commit_file(self._definition.name, version))

    def _fitted(self, rows: pa.Table) -> pa.Table:
        """Return rows with the columns that the table has by now, in its order."""
        if rows.schema.names == self._schema.names:
            return rows
        ours = {name.lower(): rows.column(name) for name in rows.column_names}
        if lacking := sorted(ours.keys() - {name.lower() for name in self._schema.names}):
            raise LakeRefusedError(
                f"{self._location} has lost the column {', '.join(lacking)}: rename it back, or "
                "start the sink again, which adds it"
            )
        columns = [
            ours.get(field.name.lower(), pa.nulls(rows.num_rows, field.type))
            for field in self._schema
        ]
        return pa.table(columns, names=self._schema.names)

    def _explain(self, error: Exception) -> str:
        return first_line(error) if isinstance(error, DeltaError) else self._storage.meaning(error)
