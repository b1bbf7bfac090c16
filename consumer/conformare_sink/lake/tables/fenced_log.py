"""The log of one table, as one writer commits to it: the fence that each of its commits carries.

A writer that opens a table commits a fencing token there, higher by one than that of the writer before,
as an application transaction (Delta's protocol, "Transaction Identifiers"). Each of its commits
carries the token again. deltalake refuses a commit when a transaction of the same application has
been committed since the table was loaded; and a writer that loads a table and finds another token
there says itself that it has lost. So a writer that was taken over from, whatever it was doing,
commits nothing any more.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any
from uuid import uuid4

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, Transaction
from deltalake.exceptions import DeltaError, TableNotFoundError

from conformare_sink.errors import LakeBusyError, LakeRefusedError, TableWriteError, first_line
from conformare_sink.lake.layout import commit_file
from conformare_sink.lake.store.storage import Storage
from conformare_sink.lake.tables.actions import added_by, newest_transactions
from conformare_sink.lake.tables.definition import require_writable

FENCE = "conformare.writer"
"""Application of the fencing token."""
COMMIT = "conformare.commit"
"""Names a commit in its own file: a store may have taken it although its answer was lost."""

ATTEMPTS = 5
"""How often a commit is tried, each time upon the newest version of the table."""

LOG_SECONDS = 24 * 3600.0
"""For at least so long a commit stays in the log; the tables' property says a week."""

_CHANGES_ROWS = b'"dataChange":true'

_MEANINGS = {
    "failed validation check": "rows break a CHECK constraint of the table; drop the constraint with "
    "ALTER TABLE … DROP CONSTRAINT, and the sink lands them",
    "is append-only": "the table is append-only, and rows have to be deleted; set its property "
    "delta.appendOnly to false",
}
"""What deltalake says of a table that somebody has altered, and what that means."""

Change = Callable[[DeltaTable, CommitProperties], dict[str, Any]]
"""Makes a change of a table in one commit; returns what deltalake tells of it."""


class FencedLog:
    """The log of a table, taken by one writer.

    Args:
        storage: The lake's folder.
        name: The table's name.
        table: The table, loaded.
        note: Commits nothing.

    Raises:
        LakeBusyError: Another writer takes it just now.
        LakeRefusedError: Somebody has given the table a feature with which it cannot be written.
    """

    def __init__(self, storage: Storage, name: str, table: DeltaTable, note: Change) -> None:
        self._storage = storage
        self._name = name
        self._location = storage.location(name)
        self._lock = threading.Lock()
        self.table_id = str(table.metadata().id)
        self._take(table)
        self._seen = table.version()
        self._foreign: list[range] = []
        """Versions of others that nobody has looked at yet."""
        self._asked = time.monotonic()
        self._is_lost = False
        self._held = self._token_of(table)
        """The token that the table has; ours from the first commit on."""
        self._token = self._held + 1
        self.commit(note)

    @property
    def table(self) -> DeltaTable:
        """The table as this writer has seen it last."""
        return self._table

    @property
    def schema(self) -> pa.Schema:
        """The columns that the table has by now."""
        return self._schema

    def commit(
        self,
        change: Change,
        transactions: Mapping[str, int] | None = None,
        *,
        rebases: bool = True,
    ) -> dict[str, Any]:
        """Make a change in one commit, and return what deltalake tells of it.

        Args:
            change: Makes it.
            transactions: Application → version: what the commit says beside.
            rebases: Whether it may be committed upon versions that it has not seen. Only what
                deletes no file may: deltalake (1.6.6) does not notice that a file is gone already.

        Raises:
            TableWriteError: It could not be committed.
            LakeBusyError: Another writer has taken the table.
            LakeRefusedError: Somebody has altered or replaced the table.
        """
        commit_id = str(uuid4())
        told = {FENCE: self._token, **(transactions or {})}
        properties = CommitProperties(
            custom_metadata={COMMIT: commit_id},
            app_transactions=[Transaction(app, version) for app, version in told.items()],
            max_commit_retries=None if rebases else 0,
        )
        with self._lock:
            if self._is_lost:
                raise self._taken_over()
            for attempt in range(1, ATTEMPTS + 1):
                if not rebases:
                    self._reload()
                before = self._table.version()
                try:
                    done = change(self._table, properties)
                except (DeltaError, OSError) as exc:
                    if not self._has_landed(commit_id, before):
                        if attempt == ATTEMPTS:
                            raise TableWriteError(self._location, self._explain(exc)) from exc
                        continue
                    done = {}
                self._held = self._token
                if self._table.version() > before + 1:
                    # Others have committed, too: before it, or since.
                    self._require_own(self._table)
                self._see(self._table.version())
                return done
        raise AssertionError("the last attempt returns or raises")

    def load(self) -> DeltaTable:
        """Load the table as it is now.

        Raises:
            TableWriteError: It cannot be loaded.
            LakeRefusedError: Another table is in its place.
        """
        uri = self._storage.table_uri(self._name)
        try:
            table = DeltaTable(uri, storage_options=self._storage.options or None)
        except TableNotFoundError as exc:
            raise TableWriteError(self._location, "the table is no longer there") from exc
        except (DeltaError, OSError) as exc:
            raise TableWriteError(self._location, self._explain(exc)) from exc
        if str(table.metadata().id) != self.table_id:
            raise LakeRefusedError(f"{self._location} was replaced by another table meanwhile")
        return table

    @property
    def told_version(self) -> int | None:
        """The newest version, unless others have committed and nobody has asked about that."""
        with self._lock:
            return None if self._foreign else self._seen

    def changed_by_others(self) -> bool:
        """Return whether rows have come or gone by somebody else since it was asked last.

        Raises:
            TableWriteError: The table is gone.
            LakeRefusedError: Another table is in its place.
        """
        with self._lock:
            asked, self._asked = self._asked, time.monotonic()
            changed = False
            if self._asked - asked > LOG_SECONDS or self._content(self._seen) is None:
                # The next commits may have been cleaned away by now, or the table is another.
                newest = self.load().version()
                changed, self._seen = newest != self._seen, newest
            foreign, self._foreign = self._foreign, []
            for version in (one for several in foreign for one in several):
                content = self._content(version)
                changed |= content is None or _CHANGES_ROWS in content
            while (content := self._content(self._seen + 1)) is not None:
                changed |= _CHANGES_ROWS in content
                self._seen += 1
            return changed

    def _reload(self) -> None:
        newest = self.load()
        self._require_own(newest)
        self._take(newest)

    def _take(self, table: DeltaTable) -> None:
        require_writable(self._location, table)
        self._table = table
        self._schema = pa.schema(table.schema().to_arrow())

    def _has_landed(self, commit_id: str, before: int) -> bool:
        """Return whether a commit is in the log, although it was told to have failed."""
        newest = self.load()
        # Not by the table's history, which keeps all threads waiting for the store.
        contents = map(self._content, range(newest.version(), before, -1))
        has_landed = any(content and commit_id.encode() in content for content in contents)
        if not has_landed:
            self._require_own(newest)
        # What failed may lie in what was loaded: somebody has altered the table since.
        self._take(newest)
        return has_landed

    def _require_own(self, newest: DeltaTable) -> None:
        """Make sure that no other writer has taken the table since this one did."""
        if self._token_of(newest) != self._held:
            # For good: a table that was loaded since lets every token pass.
            self._is_lost = True
            raise self._taken_over()

    def _taken_over(self) -> LakeBusyError:
        return LakeBusyError(f"{self._location} was taken over by another writer")

    def _token_of(self, table: DeltaTable) -> int:
        try:
            return newest_transactions(table, self._content, [FENCE]).get(FENCE, 0)
        except (DeltaError, OSError) as exc:
            raise TableWriteError(self._location, self._explain(exc)) from exc

    def _see(self, version: int) -> None:
        """Take note of a commit of ours; what lies between it and the one before is others'."""
        if version > self._seen + 1:
            self._foreign.append(range(self._seen + 1, version))
        self._seen = max(self._seen, version)

    def transactions(self, apps: list[str]) -> dict[str, int]:
        """Return the newest version of some applications, of those that have committed any.

        Raises:
            TableWriteError: The log cannot be read.
        """
        try:
            return newest_transactions(self.load(), self._content, apps)
        except (DeltaError, OSError) as exc:
            raise TableWriteError(self._location, self._explain(exc)) from exc

    def added_since(self, version: int) -> set[str] | None:
        """Return the files that were added after a version; None where the log does not go back."""
        found: set[str] = set()
        for one in range(version + 1, self.load().version() + 1):
            if (content := self._content(one)) is None:
                return None
            found |= added_by(content)
        return found

    def _content(self, version: int) -> bytes | None:
        return self._storage.read(commit_file(self._name, version))

    def _explain(self, error: Exception) -> str:
        if not isinstance(error, DeltaError):
            return self._storage.meaning(error)
        told = first_line(error)
        return next((meaning for sign, meaning in _MEANINGS.items() if sign in told), told)
