"""Runs come into a lake whole or not at all: their children first, and `runs` last.

A note says before what is going to be appended. A process that ends in between leaves it behind, and
by it the next one takes the children out again, for their run is not there.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from uuid import uuid4

import pyarrow as pa
import pyarrow.parquet as pq

from conformare_schemas import CHILD_GRAINS, RUN_GRAINS
from conformare_sink.errors import TableAlteredError
from conformare_sink.lake.landing_note import LandingNote
from conformare_sink.lake.layout import LANDING_NOTES
from conformare_sink.lake.leftovers import Leftovers, runs_of
from conformare_sink.lake.tables.data_file import DataFile, new_path, write_file
from conformare_sink.lake.tables.tables import (
    LAKE_TABLES,
    FileTable,
    LakeTables,
    Offsets,
    Table,
)
from conformare_sink.messages.emission import RunKey

logger = logging.getLogger("conformare_sink")

Files = Mapping[str, Sequence[DataFile]]
"""Table → the files that it gets."""


class Landings:
    """What this writer appends, and what writers before it did not finish.

    Args:
        tables: The lake's tables.
        opened: The same, open for writing by nobody else.
        confirm: Raises where another writer has taken the lake over.
    """

    def __init__(
        self, tables: LakeTables, opened: Mapping[str, Table], confirm: Callable[[], None]
    ) -> None:
        self._storage = tables.storage
        self._arrivals = tables.arrivals
        self._open = opened
        self._confirm = confirm
        # All are of writers that cannot commit any more, for the tables are ours now.
        self._unfinished = {
            name for name in self._storage.names() if name.startswith(LANDING_NOTES)
        }
        self._leftovers = Leftovers(tables)

    @property
    def are_finished(self) -> bool:
        """Whether no note is left behind."""
        return not self._unfinished

    def look_again(self) -> None:
        """Take note that somebody else has changed the tables."""
        self._leftovers.look_again()

    def land(
        self, rows: Mapping[str, pa.Table], runs: Collection[RunKey], read: Offsets | None = None
    ) -> None:
        """Append the rows of runs that the lake does not hold.

        Args:
            rows: What the tables get, by grain.
            runs: The runs that the rows are of.
            read: How far the topics have been read, once these runs are there.
        """
        self._remove_leftovers(rows["runs"])
        takers = self._takers(rows)
        if takers is None:
            noted = self._begin(LandingNote(runs))
            self._in_order({g: partial(self._open[g].append, r) for g, r in rows.items()}, read)
            self._end(noted)
            return
        paths = {grain: new_path() for grain in rows}
        note = _note({g: {paths[g]: r.num_rows} for g, r in rows.items()}, takers)
        with ThreadPoolExecutor(len(rows) + 1, "write") as pool:
            # The note beside the files: nothing of them counts before its commit.
            writing = pool.submit(self._begin, note)
            files = {g: pool.submit(self._write, g, paths[g], of) for g, of in rows.items()}
        noted = writing.result()
        self._add({g: [file.result()] for g, file in files.items()}, read)
        self._end(noted)

    def land_files(self, files: Files, read: Offsets | None = None) -> None:
        """Add files that have the rows of runs that the lake does not hold.

        Args:
            files: The files by grain; all rows of a run are in them.
            read: How far the topics have been read, once these runs are there.

        Raises:
            TableAlteredError: A table takes no files any more.
        """
        if not self._take(files):
            raise TableAlteredError(self._storage.root)
        for file in files["runs"]:
            if self._leftovers.may_be_among(file) and (keys := self._keys_in(file.path)):
                self._remove_leftovers(keys)
        rows = {grain: {one.path: one.n_rows for one in those} for grain, those in files.items()}
        noted = self._begin(_note(rows, self._takers(files) or {}))
        self._add(files, read)
        self._end(noted)

    def take_files(self) -> bool:
        """Return whether the tables of all grains take files."""
        return self._take(RUN_GRAINS)

    def undo(self, known: Callable[[Collection[RunKey]], Collection[RunKey]]) -> dict[str, int]:
        """Remove the children of runs that are not there, of landings that broke off.

        Nothing may come any more of what they were appending.

        Args:
            known: Returns which of some runs are there.

        Returns:
            Table → rows that were removed, for tables that had any.
        """
        removed: Counter[str] = Counter()
        runs: set[RunKey] = set()
        for name in self._unfinished:
            note = LandingNote.read(self._storage.read(name))
            runs.update(note.runs)
            if note.files:
                runs |= self._take_back(note, removed)
        removed.update(self._remove(runs.difference(known(runs))))
        for name in self._unfinished:
            self._storage.remove(name)
        self._unfinished.clear()
        return {table: n for table, n in removed.items() if n}

    def _take_back(self, note: LandingNote, removed: Counter[str]) -> set[RunKey]:
        """Take files of a landing out of the tables where their runs are not there.

        Returns:
            The runs, where the children of some may be in other files by now.
        """
        takers = self._takers(note.files)
        if takers is None:
            return self._noted_runs(note)
        landed = takers["runs"].added_since(note.versions["runs"])
        if landed is None:
            return self._noted_runs(note)
        if not landed.isdisjoint(note.files["runs"]):
            return set()
        is_sure = True
        for grain in note.files.keys() - {"runs"}:
            files, taker = note.files[grain], takers[grain]
            came = taker.added_since(note.versions[grain])
            there = set(files) if came is None else came & files.keys()
            taken = taker.take_out(there) if there else set()
            removed[grain] += sum(files[path] for path in taken)
            is_sure &= came is not None and taken == there
        return set() if is_sure else self._noted_runs(note)

    def _noted_runs(self, note: LandingNote) -> set[RunKey]:
        found: set[RunKey] = set()
        for path in note.files["runs"]:
            if (keys := self._keys_in(path)) is not None:
                found |= runs_of(keys)
        return found

    def _keys_in(self, path: str) -> pa.Table | None:
        """Return the keys of the runs in a file of `runs`; None where it is not there."""
        content = self._arrivals.read(f"runs/{path}")
        if content is None:
            return None
        return pq.read_table(pa.BufferReader(content), columns=[*RunKey._fields, "ts"])

    def _take(self, grains: Iterable[str]) -> bool:
        return all(self._open[grain].takes_files for grain in grains)

    def _takers(self, grains: Iterable[str]) -> dict[str, FileTable] | None:
        """Return tables as those whose files are what came; None where one is not."""
        takers = {grain: self._open[grain].files for grain in grains}
        taking = {grain: taker for grain, taker in takers.items() if taker is not None}
        return taking if len(taking) == len(takers) else None

    def _write(self, grain: str, path: str, rows: pa.Table) -> DataFile:
        return write_file(self._storage, LAKE_TABLES[grain], path, rows)

    def _add(self, files: Files, read: Offsets | None) -> None:
        self._in_order({g: partial(self._open[g].add, those) for g, those in files.items()}, read)

    def _in_order(
        self, appends: Mapping[str, Callable[[Offsets | None], None]], read: Offsets | None
    ) -> None:
        """Append to the children, all at once, and when all are there to `runs`."""
        with ThreadPoolExecutor(len(CHILD_GRAINS), "append") as pool:
            children = [
                pool.submit(append, None) for grain, append in appends.items() if grain != "runs"
            ]
        for child in children:
            child.result()
        appends["runs"](read)
        self._confirm()

    def _begin(self, note: LandingNote) -> str:
        """Note what is going to be appended, under a name of its own.

        So a writer that was taken over from cannot spoil its successor's.
        """
        name = f"{LANDING_NOTES}{uuid4()}.json"
        self._unfinished.add(name)
        self._storage.write(name, note.as_json())
        return name

    def _end(self, name: str) -> None:
        self._storage.remove(name)
        self._unfinished.discard(name)

    def _remove_leftovers(self, runs: pa.Table) -> None:
        if there := self._leftovers.among(runs):
            logger.info("removed rows that were there without their run: %s", self._remove(there))

    def _remove(self, runs: Collection[RunKey]) -> dict[str, int]:
        """Delete the children of runs that are not there."""
        if not runs:
            return {}
        keys = run_keys(runs)
        with ThreadPoolExecutor(len(CHILD_GRAINS), "remove") as pool:
            counts = pool.map(lambda grain: self._open[grain].delete(keys), CHILD_GRAINS)
        return {grain: n for grain, n in zip(CHILD_GRAINS, counts, strict=True) if n}


def run_keys(runs: Collection[RunKey]) -> pa.Table:
    """Return runs as keys of rows."""
    columns = zip(*runs, strict=True) if runs else ((),) * len(RunKey._fields)
    return pa.table([pa.array(column, pa.string()) for column in columns], names=RunKey._fields)


def _note(rows: Mapping[str, Mapping[str, int]], takers: Mapping[str, FileTable]) -> LandingNote:
    return LandingNote((), rows, {grain: taker.version for grain, taker in takers.items()})
