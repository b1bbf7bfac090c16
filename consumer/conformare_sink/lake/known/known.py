"""Which runs the table `runs` holds: asked in no time, and read only as far as that is new."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import TypeVar

import pyarrow as pa

from conformare_sink.errors import DamagedError, StorageError, TableReadError
from conformare_sink.lake.digests import RUN_DIGEST, DigestSet, run_digests
from conformare_sink.lake.halves import (
    DigestArray,
    Halves,
    Mask,
    array_of_column,
    halves_of,
)
from conformare_sink.lake.known.folder import Folder
from conformare_sink.lake.known.place import known_place
from conformare_sink.lake.known.stored import StoredSet
from conformare_sink.lake.tables.tables import Changes, LakeTables
from conformare_sink.messages.emission import RunKey

logger = logging.getLogger("conformare_sink")

RUNS = "runs"
KEPT = 100_000
"""Fewer runs are not kept on disk: they are read again as fast."""
SAVE_SECONDS = 300.0
"""A process that is killed leaves the commits of so long to the next, which reads them."""
MOST_CHANGED = 4_000_000
"""Where rows have gone and more than these have to be read to know which, all are read again."""
MOST_GONE = 0.125
"""Of all digests on disk: where more of them have gone, all are read again, and sorted anew."""

_Result = TypeVar("_Result")


class KnownRuns:
    """The runs of a lake; may be asked by several threads.

    Args:
        tables: The lake's tables.
        table_id: Identity of its table `runs`.
        checkpoint: A folder of this machine to keep them in; the user's cache where none is given.
        is_writer: Whether this process is the lake's only writer. All others keep nothing.

    Raises:
        TableReadError: The table cannot be read.
    """

    def __init__(
        self,
        tables: LakeTables,
        table_id: str,
        *,
        checkpoint: Path | None = None,
        is_writer: bool,
    ) -> None:
        self._tables = tables
        self._table_id = table_id
        self._lock = threading.RLock()
        self._is_changed = False
        """Whether the disk has another set than this."""
        self._set = StoredSet(Folder(known_place(table_id, checkpoint), is_ours=is_writer))
        self._saved_at = time.monotonic()
        self._version: int | None = None
        """What is in the set is at least of this version; None where nothing is known of it."""
        self._is_exact = False
        """Whether it is of no other version."""
        self._is_outdated = True
        try:
            self._version = self._saved_version()
            self._asked(lambda: None)
        except BaseException:
            self.close()
            raise

    def __len__(self) -> int:
        return len(self._set)

    def among(self, runs: Collection[RunKey]) -> set[RunKey]:
        """Return which of some runs the lake holds; raises TableReadError."""
        ordered = list(runs)
        found = self.contain(run_digests(ordered)).tolist()
        return {run for run, there in zip(ordered, found, strict=True) if there}

    def contain(self, digests: DigestArray) -> Mask:
        """Return of each of some runs, by their digests, whether the lake holds it.

        Args:
            digests: What `run_digests` returns of them.

        Raises:
            TableReadError: The table cannot be read.
        """
        asked = halves_of(digests)
        return self._asked(lambda: self._set.contain(asked))

    def look_again(self) -> None:
        """Take note that somebody else has changed the table; what is new is read when it is asked."""
        with self._lock:
            self._is_outdated = True

    def add(self, digests: DigestArray, version: int | None) -> None:
        """Add runs that this process has landed.

        Args:
            digests: What `run_digests` returns of them.
            version: The version of the table that has them, and nothing that is not in the set;
                None where that cannot be said.
        """
        self._changed(lambda: self._set.add(halves_of(digests)), version)

    def remove(self, digests: DigestArray, version: int | None) -> None:
        """Remove runs that this process has deleted; arguments as for `add`."""
        self._changed(lambda: self._set.remove(halves_of(digests)), version)

    def close(self) -> None:
        """Keep them for the next process."""
        with self._lock:
            self._set.await_saved()
            self._save()
            self._set.close()

    def _asked(self, ask: Callable[[], _Result]) -> _Result:
        """Return an answer of the set as the table is now."""
        with self._lock:
            try:
                if self._is_outdated:
                    self._catch_up()
                return ask()
            except DamagedError:
                self._version = None
                self._catch_up()
                return ask()

    def _changed(self, change: Callable[[], None], version: int | None) -> None:
        """Change the set as this process has changed the table."""
        with self._lock:
            try:
                change()
            except DamagedError:
                self._version, self._is_outdated = None, True
            self._is_changed = True
            if self._set.n_gone > MOST_GONE * len(self._set):
                self._version, self._is_outdated = None, True
            if version is None or self._is_outdated:
                self._is_exact = False
            elif version >= (self._version or 0):  # else it has been read from the table already
                self._version, self._is_exact = version, True
            if self._set.is_changed or time.monotonic() - self._saved_at >= SAVE_SECONDS:
                self._save()

    def _catch_up(self) -> None:
        """Read what is new in the table, or all of it where nobody can tell what is new."""
        is_exact = False
        if self._version is not None:
            changes = self._tables.changes_since(RUNS, self._version, RunKey._fields)
            is_exact = changes is not None and self._apply(changes)
        if not is_exact:
            is_exact = self._read_all()
        self._is_exact, self._is_outdated = is_exact, False
        self._save()

    def _apply(self, changes: Changes) -> bool:
        """Make changes of the table; return whether that was possible."""
        try:
            if changes.gone is None:
                for rows in changes.added():
                    self._set.add(_digests(rows))
            else:
                new, gone = _few(changes.added()), _few(changes.gone())
                if new is None or gone is None:
                    return False
                there = gone.halves()
                self._set.remove(there.chosen(~new.contain_halves(there)))
                self._set.add(new.halves())
        except TableReadError:  # maintenance has deleted what somebody removed
            return False
        self._is_changed |= changes.version != self._version
        self._version = changes.version
        return True

    def _read_all(self) -> bool:
        """Read the whole table; return whether the set is of exactly one version then."""
        began = time.monotonic()
        self._version = None
        self._set.clear()
        before = self._tables.version(RUNS)
        sql = f"SELECT {RUN_DIGEST[self._tables.dialect]} AS digest FROM {RUNS}"  # noqa: S608 - our own words
        portions = (portion.column("digest") for portion in self._tables.select(sql, RUNS))
        self._set.fill(halves_of(array_of_column(portion)) for portion in portions)
        if len(self._set) >= KEPT:
            logger.info("read %d known runs in %.0f s", len(self._set), time.monotonic() - began)
        self._is_changed = True
        if before is None:
            return False
        self._version = before.number
        changes = self._tables.changes_since(RUNS, before.number, RunKey._fields)
        return changes is not None and self._apply(changes)

    def _saved_version(self) -> int | None:
        """Begin with what is kept on disk; return its version, and None where it is of no use."""
        try:
            saved = self._set.load()
        except DamagedError:
            return None
        if saved is None or saved.table_id != self._table_id:
            return None
        there = self._tables.version(RUNS, saved.version)
        is_same = there is not None and there.commit == saved.commit
        return saved.version if is_same else None

    def _save(self) -> None:
        """Keep the set on disk, if it has changed and is of exactly one version."""
        is_worth_it = self._is_changed and self._set.is_kept and len(self._set) >= KEPT
        if not is_worth_it or not self._is_exact or self._version is None:
            return
        try:
            there = self._tables.version(RUNS, self._version)
        except (TableReadError, StorageError):
            return  # the runs have landed; it is kept the next time
        if there is not None and there.commit is not None:
            self._set.save(self._table_id, self._version, there.commit)
            self._is_changed = False
        self._saved_at = time.monotonic()


def _digests(rows: pa.Table) -> Halves:
    # Texts that are views in the files of some writers.
    texts = (rows.column(name).cast(pa.string()) for name in RunKey._fields)
    columns = (text.fill_null("").to_pylist() for text in texts)
    return halves_of(run_digests(map(RunKey, *columns)))


def _few(portions: Iterator[pa.Table]) -> DigestSet | None:
    """Return the digests of some rows; None where there are many."""
    digests = DigestSet()
    for rows in portions:
        digests.add_halves(_digests(rows))
        if len(digests) > MOST_CHANGED:
            return None
    return digests
