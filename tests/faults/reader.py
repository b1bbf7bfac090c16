"""A reader that looks at the lake all the while: first at `runs`, then at the other tables.

It reads by delta-rs and shares nothing with the sink. Each of a table's files is read once, when it
appears, so that looking stays cheap.
"""

from __future__ import annotations

import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import DeltaTable
from deltalake.exceptions import TableNotFoundError
from support.lakes.checker import RunKey
from support.lakes.view import LakeView, viewed

from conformare_schemas import CHILD_GRAINS

RowCounts = Callable[[str], Mapping[str, int] | None]
"""Emission_id → rows of each grain; None where it is not known."""

PAUSE_SECONDS = 0.25
_COLUMNS = ["pipeline", "run_id", "emission_id"]
_Tally = Counter[tuple[str, str, str]]
_NO_ROWS: Mapping[str, int] = Counter()


class TableCounts:
    """How many rows of which emission each run has in a table, as of the last look.

    Args:
        lake: The lake.
        table: Name of the table, which need not be there yet.

    Attributes:
        rows: Run → emission_id → rows.
    """

    def __init__(self, lake: LakeView, table: str) -> None:
        self.rows: dict[RunKey, Counter[str]] = defaultdict(Counter)
        self._lake = lake
        self._name = table
        self._table: DeltaTable | None = None
        self._version = -1
        self._files: dict[str, _Tally] = {}

    def look(self) -> bool:
        """Read what is new; return whether there was anything.

        Raises:
            RuntimeError: The table has rows that are marked as deleted inside its files.
        """
        if self._table is None:
            try:
                self._table = self._lake.table(self._name)
            except TableNotFoundError:
                return False
        else:
            self._table.update_incremental()
        if self._table.version() == self._version:
            return False
        if "deletionVectors" in (self._table.protocol().reader_features or ()):
            raise RuntimeError(f"{self._name} needs a reader that knows deletion vectors")
        self._version = self._table.version()
        # All of a table's files lie in its folder.
        now = {uri.rpartition("/")[2] for uri in self._table.file_uris()}
        for removed in set(self._files) - now:
            self._count(self._files.pop(removed), -1)
        for added in now - set(self._files):
            content = self._lake.read(f"{self._name}/{added}")
            if content is None:
                raise RuntimeError(f"{added} of {self._name} is not there")
            table = pq.read_table(pa.BufferReader(content), columns=_COLUMNS)
            columns = (table.column(name).to_pylist() for name in _COLUMNS)
            self._files[added] = Counter(zip(*columns, strict=True))
            self._count(self._files[added], 1)
        return True

    def _count(self, tally: _Tally, sign: int) -> None:
        for (pipeline, run_id, emission_id), rows in tally.items():
            of_run = self.rows[(pipeline, run_id)]
            of_run[emission_id] += sign * rows
            if not of_run[emission_id]:
                del of_run[emission_id]
            if not of_run:
                del self.rows[(pipeline, run_id)]


@dataclass
class Seen:
    """What the reader has seen that nobody must ever see, and how often it has looked.

    Attributes:
        partial: Runs that were in `runs` while rows of theirs were missing.
        duplicated: Runs that were there, or had rows, more often than once.
        mixed: Runs with rows of another emission than the one in `runs`.
        foreign: Runs of an emission that was never whole.
        vanished: Runs that were in `runs` and then were not, or of another emission.
        polls: How often it has looked.
        changes: How often it has found something new.
    """

    partial: set[RunKey] = field(default_factory=set)
    duplicated: set[RunKey] = field(default_factory=set)
    mixed: set[RunKey] = field(default_factory=set)
    foreign: set[RunKey] = field(default_factory=set)
    vanished: set[RunKey] = field(default_factory=set)
    polls: int = 0
    changes: int = 0


class Reader:
    """Looks at a lake in a thread of its own until it is told to stop.

    Args:
        lake: The lake, which need not be there yet.
        row_counts: What an emission must have.

    Attributes:
        seen: What it has seen so far.
        waiting: How many runs had rows in other tables before `runs` had them, at the last look.
    """

    def __init__(self, lake: Path | LakeView, row_counts: RowCounts) -> None:
        view = viewed(lake)
        self.seen = Seen()
        self.waiting = 0
        self._row_counts = row_counts
        self._runs = TableCounts(view, "runs")
        self._children = {grain: TableCounts(view, grain) for grain in CHILD_GRAINS}
        self._known: dict[RunKey, Counter[str]] = {}
        self._looking = threading.Lock()
        self._stopping = threading.Event()
        self._failure: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="reader", daemon=True)

    @property
    def landed(self) -> int:
        """How many runs were there at the last look."""
        return len(self._known)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """Look once more and end.

        Raises:
            Exception: What kept it from looking.
        """
        self._stopping.set()
        self._thread.join()
        if self._failure is not None:
            raise self._failure
        self.look()

    def _run(self) -> None:
        try:
            while not self._stopping.is_set():
                start = time.monotonic()
                self.look()
                # It leaves most of the machine to the sink, however much there is to read.
                self._stopping.wait(max(PAUSE_SECONDS, 2 * (time.monotonic() - start)))
        except Exception as exc:  # noqa: BLE001 - `stop` raises it
            self._failure = exc

    def look(self) -> None:
        """Look at `runs`, then at all other tables, and compare; may be called by any thread."""
        with self._looking:
            self._look()

    def _look(self) -> None:
        self.seen.polls += 1
        runs_changed = self._runs.look()
        # Only now: whatever is in `runs` must be found in the versions that are read from here on.
        changed = [table.look() for table in self._children.values()]
        if not (runs_changed or any(changed)):
            return
        self.seen.changes += 1
        runs = self._runs.rows
        self.seen.vanished |= {r for r, emission in self._known.items() if runs.get(r) != emission}
        self._known = {run: Counter(emission) for run, emission in runs.items()}
        for run, emissions in runs.items():
            self._compare(run, emissions)
        early = {run for table in self._children.values() for run in table.rows} - set(runs)
        self.waiting = len(early)

    def _compare(self, run: RunKey, emissions: Counter[str]) -> None:
        if emissions.total() > 1:
            self.seen.duplicated.add(run)
            return
        (emission_id,) = emissions
        expected = self._row_counts(emission_id)
        if expected is None:
            self.seen.foreign.add(run)
            return
        for grain, table in self._children.items():
            found = table.rows.get(run, _NO_ROWS)
            present, wanted = found.get(emission_id, 0), expected.get(grain, 0)
            if present < wanted:
                self.seen.partial.add(run)
            elif present > wanted:
                self.seen.duplicated.add(run)
            if len(found) > (present > 0):
                self.seen.mixed.add(run)
