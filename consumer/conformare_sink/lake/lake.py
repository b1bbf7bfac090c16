"""The lake: what it holds, and how runs come into it whole or not at all."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from uuid import uuid4

import pyarrow as pa
from pyspark.sql import functions as F

from conformare_schemas import CHILD_GRAINS
from conformare_sink.errors import LakeRefusedError
from conformare_sink.lake.delete import RUN_KEY, Keys, delete_rows
from conformare_sink.lake.digests import place_digest, run_digest, runs_in
from conformare_sink.lake.folder import Folder
from conformare_sink.lake.own_tables import (
    PENDING,
    PURGED,
    QUARANTINE,
    pending_rows,
    quarantine_rows,
)
from conformare_sink.lake.purge import Purge, Purged, finish_purge, purge_runs, purged_among
from conformare_sink.lake.scan import PLACE_DIGEST, RUN_DIGEST, Columns, read_digests, scan
from conformare_sink.lake.tables import LakeTables
from conformare_sink.lake.writer.lock import LOCK_FILES, Hold, sole_writer
from conformare_sink.messages.emission import EmissionKey, RunKey
from conformare_sink.messages.envelope import Envelope, Rejected
from conformare_sink.messages.message import (
    MESSAGE_COLUMNS,
    Message,
    Place,
    message_columns,
    messages_of,
)
from conformare_sink.options import CHECKPOINT_FOLDER

logger = logging.getLogger("conformare_sink")

LANDING_NOTE = "_landing"
"""Begins the name of a note in the lake's folder while runs are being appended: which ones."""


class Lake:
    """A lake that is open for landing; made by `open_for_writing`.

    Args:
        tables: Its tables.
        hold: The lock on it; None for a lake that is only read.
    """

    def __init__(self, tables: LakeTables, hold: Hold | None = None) -> None:
        self.tables = tables
        self._hold = hold
        self._append = tables.open()
        if hold is not None and hold.can_be_lost:
            for table in self._append.values():
                table.fence()
        self._folder = Folder(tables.spark, tables.root)
        self._pending = threading.Lock()
        self._known = read_digests(self.tables, "runs", RUN_DIGEST)
        self._read_what_purges_change()

    @property
    def lake_id(self) -> str:
        """The identity of this lake: another one at the same place has another."""
        return self._append["runs"].table_id

    def known_runs(self, runs: Collection[RunKey]) -> set[RunKey]:
        """Return which of some runs the lake holds."""
        if self._append["runs"].changed_by_others():
            self._known = read_digests(self.tables, "runs", RUN_DIGEST)
        return runs_in(self._known, runs)

    def purged_runs(self, runs: Collection[RunKey]) -> set[RunKey]:
        """Return which of some runs were deleted from the lake on purpose."""
        return purged_among(runs, self._purged)

    def land(self, rows: Mapping[str, pa.Table], runs: Collection[RunKey]) -> None:
        """Append runs that the lake does not hold: their children, and when these are there, they.

        A process that ends in between leaves a note behind, by which the next one removes what has
        been appended.

        Args:
            rows: What the tables get, by grain.
            runs: The runs that the rows are of.
        """
        # A name of its own: a writer that was taken over from cannot spoil its successor's.
        note = f"{LANDING_NOTE}-{uuid4()}.json"
        self._folder.write_text(note, json.dumps([*map(list, runs)]))
        with ThreadPoolExecutor(len(CHILD_GRAINS), "append") as pool:
            children = [
                pool.submit(self._append[grain].append, rows[grain])
                for grain in CHILD_GRAINS
                if grain in rows
            ]
        for child in children:
            child.result()
        self._append["runs"].append(rows["runs"])
        if self._hold is not None:
            self._hold.confirm()
        self._folder.remove(note)
        self._known.add([*map(run_digest, runs)])

    def delete(self, table: str, keys: Keys) -> int:
        """Delete the rows of a table that have one of some keys; return how many there were.

        Raises:
            TableWriteError: Delta refused, mostly for another writer has taken the lake over.
        """
        return delete_rows(self.tables, table, keys, self._append[table].next_turn())

    def keep_waiting(self, envelopes: Collection[Envelope]) -> None:
        """Keep messages whose emission is not complete."""
        if envelopes:
            with self._pending:
                self._append[PENDING.name].append(pending_rows(envelopes))

    def forget_settled(self) -> int:
        """Delete from `pending` what waits no more, for its run has landed or was purged.

        May be called beside the thread that lands; what that has to add to `pending` waits
        meanwhile, for neither of the two commits can follow the other.

        Returns:
            How many rows were deleted.
        """
        waiting = self.tables.read(PENDING.name).select(*RUN_KEY).distinct()
        first, last = waiting.agg(F.min("run_id"), F.max("run_id")).collect()[0]
        if first is None:
            return 0
        settled = self.tables.read("runs").select(*RUN_KEY)
        settled = settled.union(self.tables.read(PURGED.name).select(*RUN_KEY))
        settled = settled.where(F.col("run_id").between(first, last))
        found = settled.join(F.broadcast(waiting), RUN_KEY, "left_semi").distinct().toArrow()
        with self._pending:
            return self.delete(PENDING.name, Keys.of_table(self.tables.spark, found))

    def waiting(self) -> Iterator[tuple[Message, EmissionKey]]:
        """Return the messages that wait, each with its emission; one that was kept twice, twice."""
        columns = Columns.named(*MESSAGE_COLUMNS, *EmissionKey._fields)
        for found in scan(self.tables, PENDING.name, columns):
            names = [found.column(name).to_pylist() for name in EmissionKey._fields]
            emissions = [EmissionKey(*key) for key in zip(*names, strict=True)]
            runs = {emission.run for emission in emissions}
            settled = self.known_runs(runs) | self.purged_runs(runs)
            for message, emission in zip(messages_of(found), emissions, strict=True):
                if emission.run not in settled:
                    yield message, emission

    def quarantine(self, rejected: Collection[Rejected]) -> int:
        """Keep messages that could not be used, but those that are there already.

        Returns:
            How many were not.
        """
        digests = [place_digest(one.message.place) for one in rejected]
        there = self._quarantined.contain(digests)
        new = [one for one, known in zip(rejected, there, strict=True) if not known]
        if new:
            self._append[QUARANTINE.name].append(quarantine_rows(new))
            self._quarantined.add([place_digest(one.message.place) for one in new])
        return len(new)

    def has_quarantined(self) -> bool:
        """Return whether there is anything in quarantine."""
        return len(self._quarantined) > 0

    def release(self, messages: Collection[Message]) -> None:
        """Take messages out of quarantine."""
        places = pa.table({name: message_columns(messages)[name] for name in Place._fields})
        self.delete(QUARANTINE.name, Keys.of_table(self.tables.spark, places))
        self._quarantined = read_digests(self.tables, QUARANTINE.name, PLACE_DIGEST)

    def purge(self, purge: Purge) -> Purged:
        """Delete runs for good; return what was deleted."""
        purged = purge_runs(self.tables, purge, self.delete)
        self._read_what_purges_change()
        return purged

    def recover(self) -> dict[str, int]:
        """Remove what a writer left that ended in the middle of landing: rows without their run.

        A purge that broke off is finished, too.

        Returns:
            Table → rows that were removed, for tables that had any.
        """
        notes = [name for name in self._folder.names() if name.startswith(LANDING_NOTE)]
        noted = {run for note in notes for run in self._noted(note)}
        unfinished = noted - self.known_runs(noted)
        removed = {}
        if unfinished:
            keys = Keys.of_runs(self.tables.spark, unfinished)
            with ThreadPoolExecutor(len(CHILD_GRAINS), "recover") as pool:
                counts = pool.map(lambda grain: self.delete(grain, keys), CHILD_GRAINS)
            removed = {grain: n for grain, n in zip(CHILD_GRAINS, counts, strict=True) if n}
        for note in notes:
            self._folder.remove(note)
        if finish_purge(self.tables, self.delete):
            self._read_what_purges_change()
            logger.info("finished a purge that had broken off")
        return removed

    def _read_what_purges_change(self) -> None:
        self._purged = read_digests(self.tables, PURGED.name, RUN_DIGEST)
        self._quarantined = read_digests(self.tables, QUARANTINE.name, PLACE_DIGEST)

    def _noted(self, note: str) -> set[RunKey]:
        try:
            return {RunKey(*run) for run in json.loads(self._folder.read_text(note))}
        except ValueError:
            return set()  # its writer ended while it wrote that, so before it appended anything


@contextmanager
def open_for_writing(tables: LakeTables, purpose: str) -> Iterator[Lake]:
    """Open a lake as its only writer: tables made, what a crash left removed.

    Args:
        tables: The lake's tables.
        purpose: What writes, for another writer that is refused meanwhile.

    Raises:
        LakeRefusedError: The folder holds something that is not a lake of ours, or its tables are
            elsewhere.
        LakeBusyError: Another process writes to the lake.
    """
    tables.require_place()
    found = Folder(tables.spark, tables.root).names()
    strangers = [name for name in found if not _outlives_a_lake(name)]
    if strangers and tables.catalog is None and not tables.exist():
        raise LakeRefusedError(
            f"{tables.root} is not empty and is not a conformare lake; choose an empty or a new folder"
        )
    with sole_writer(tables.spark, tables.root, purpose) as hold:
        lake = Lake(tables, hold)
        if removed := lake.recover():
            logger.info("removed rows that a crash had left without their run: %s", removed)
        yield lake


def _outlives_a_lake(name: str) -> bool:
    """Whether it is ours and no table: what is there when somebody has deleted a lake's tables."""
    return name in LOCK_FILES or name.startswith((LANDING_NOTE, CHECKPOINT_FOLDER))
