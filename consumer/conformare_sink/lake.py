"""The lake: what it holds, and how runs come into it whole or not at all."""

from __future__ import annotations

import json
import logging
from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timezone
from uuid import uuid4

import pyarrow as pa
from delta.tables import DeltaTable
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from conformare_schemas import CHILD_GRAINS, arrow_schema
from conformare_sink.decode import Envelope, Rejected
from conformare_sink.digest_set import (
    DigestSet,
    place_digest,
    place_digest_column,
    run_digest,
    run_digest_column,
)
from conformare_sink.emission import EmissionKey, RunKey
from conformare_sink.errors import LakeRefusedError
from conformare_sink.folder import Folder
from conformare_sink.lake_tables import PENDING, PURGED, QUARANTINE
from conformare_sink.message import MESSAGE_COLUMNS, Message, message_columns, messages_of
from conformare_sink.pending import pending_rows
from conformare_sink.tables import LakeTables
from conformare_sink.writer_lock import LOCK_FILES, Hold, sole_writer

logger = logging.getLogger("conformare_sink")

RUN_KEY = list(RunKey._fields)

LANDING_NOTE = "_landing"
"""Begins the name of a note in the lake's folder while runs are being appended: which ones."""

DIGESTS_AT_ONCE = 2_000_000
"""Digests that are collected from a table in one go: 32 MB."""


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
        self._known = self._digests("runs", run_digest_column())
        self._purged = self._digests(PURGED.name, run_digest_column())
        self._quarantined = self._digests(QUARANTINE.name, place_digest_column())

    @property
    def lake_id(self) -> str:
        """The identity of this lake: another one at the same place has another."""
        return self._append["runs"].table_id

    def known_runs(self, runs: Collection[RunKey]) -> set[RunKey]:
        """Return which of some runs the lake holds."""
        if self._append["runs"].changed_by_others():
            self._known = self._digests("runs", run_digest_column())
        return _among(runs, self._known)

    def purged_runs(self, runs: Collection[RunKey]) -> set[RunKey]:
        """Return which of some runs were deleted from the lake on purpose."""
        return _among(runs, self._purged)

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

    def keep_waiting(self, envelopes: Collection[Envelope]) -> None:
        """Keep messages whose emission is not complete."""
        if envelopes:
            self._append[PENDING.name].append(pending_rows(envelopes))

    def waiting(self) -> Iterator[tuple[Message, EmissionKey]]:
        """Return the messages that wait, each with its emission."""
        rows = self.tables.read(PENDING.name)
        found = rows.select(*MESSAGE_COLUMNS, *EmissionKey._fields).distinct().toArrow()
        emissions = [EmissionKey(*key) for key in zip(*_columns(found), strict=True)]
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
            columns = message_columns([one.message for one in new])
            columns["cause"] = pa.array([one.cause for one in new])
            now = datetime.now(timezone.utc)
            columns["quarantined_at"] = pa.array([now] * len(new), pa.timestamp("us", "UTC"))
            schema = arrow_schema(QUARANTINE.columns)
            rows = pa.table([columns[name] for name in schema.names], schema=schema)
            self._append[QUARANTINE.name].append(rows)
            self._quarantined.add([place_digest(one.message.place) for one in new])
        return len(new)

    def recover(self) -> dict[str, int]:
        """Remove what a writer left that ended in the middle of landing: rows without their run.

        Returns:
            Table → runs whose rows were removed, for tables that had any.
        """
        notes = [name for name in self._folder.names() if name.startswith(LANDING_NOTE)]
        noted = {run for note in notes for run in self._noted(note)}
        unfinished = noted - self.known_runs(noted)
        removed = {}
        if unfinished:
            with ThreadPoolExecutor(len(CHILD_GRAINS), "recover") as pool:
                counts = pool.map(lambda grain: self.remove_rows(grain, unfinished), CHILD_GRAINS)
            removed = {grain: n for grain, n in zip(CHILD_GRAINS, counts, strict=True) if n}
        for note in notes:
            self._folder.remove(note)
        return removed

    def _noted(self, note: str) -> set[RunKey]:
        try:
            return {RunKey(*run) for run in json.loads(self._folder.read_text(note))}
        except ValueError:
            return set()  # its writer ended while it wrote that, so before it appended anything

    def remove_rows(self, table: str, runs: Collection[RunKey]) -> int:
        """Remove the rows of runs from a table; return how many of the runs had any."""
        run_ids = [run.run_id for run in runs]
        in_range = F.col("run_id").between(min(run_ids), max(run_ids))
        keys = self._key_frame(runs)
        rows = self.tables.read(table).where(in_range).join(keys, RUN_KEY, "left_semi")
        found = rows.select(*RUN_KEY).distinct().toArrow().to_pylist()
        if found:
            gone = self._key_frame([RunKey(**row) for row in found])
            same_run = " AND ".join(f"t.{column} = k.{column}" for column in RUN_KEY)
            stored = DeltaTable.forName(self.tables.spark, self.tables.identifier(table))
            stored.alias("t").merge(gone.alias("k"), same_run).whenMatchedDelete().execute()
        return len(found)

    def _key_frame(self, runs: Collection[RunKey]) -> DataFrame:
        columns = [pa.array(column, pa.string()) for column in zip(*runs, strict=True)]
        keys = self.tables.spark.createDataFrame(pa.table(columns, names=RUN_KEY))
        return F.broadcast(keys)

    def _digests(self, table: str, column: Column) -> DigestSet:
        """Return the digests of all rows of a table; the first word deals them into portions."""
        digests = DigestSet()
        rows = self.tables.read(table).select(column.alias("digest"))
        portions = 1 + rows.count() // DIGESTS_AT_ONCE
        number = F.pmod(F.hash("digest"), F.lit(portions))
        for portion in range(portions):
            digests.add_column(rows.where(number == portion).toArrow().column("digest"))
        return digests


def _among(runs: Collection[RunKey], known: DigestSet) -> set[RunKey]:
    ordered = list(runs)
    found = known.contain([run_digest(run) for run in ordered])
    return {run for run, there in zip(ordered, found, strict=True) if there}


def _columns(found: pa.Table) -> list[list[str]]:
    return [found.column(name).to_pylist() for name in EmissionKey._fields]


@contextmanager
def open_for_writing(tables: LakeTables, purpose: str) -> Iterator[Lake]:
    """Open a lake as its only writer: tables made, what a crash left removed.

    Args:
        tables: The lake's tables.
        purpose: What writes, for another writer that is refused meanwhile.

    Raises:
        LakeRefusedError: The folder holds something that is not a lake of ours.
        LakeBusyError: Another process writes to the lake.
    """
    folder = Folder(tables.spark, tables.root)
    strangers = [name for name in folder.names() if name not in LOCK_FILES]
    if strangers and tables.catalog is None and not tables.exist():
        raise LakeRefusedError(
            f"{tables.root} is not empty and is not a conformare lake; choose an empty or a new folder"
        )
    with sole_writer(folder, tables.root, purpose) as hold:
        lake = Lake(tables, hold)
        if removed := lake.recover():
            logger.info("removed rows that a crash had left without their run: %s", removed)
        yield lake
