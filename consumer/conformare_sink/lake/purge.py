"""Runs are deleted on purpose, and remembered, so that nothing brings them back.

What a purge deletes is settled by one commit, that of its tombstones in `purged`. Before it nothing
has gone, after it everything goes: a note in the lake's folder tells the next writer to go on where
a crash ended it. `runs` goes first: no reader who begins there from then on sees a part of a run.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import reduce

import pyarrow as pa
from py4j.protocol import Py4JError
from pydantic import BaseModel, ConfigDict, model_validator
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from conformare_schemas import CHILD_GRAINS, GRAINS
from conformare_sink.errors import TableWriteError, first_line
from conformare_sink.lake.delete import RUN_KEY, Delete, Keys
from conformare_sink.lake.digests import DigestSet, runs_in
from conformare_sink.lake.folder import Folder
from conformare_sink.lake.own_tables import PENDING, PURGED, QUARANTINE
from conformare_sink.lake.tables import LakeTables
from conformare_sink.messages.emission import RunKey

PURGING_NOTE = "_purging.json"
"""In the lake's folder while runs are being deleted: which ones."""

ANY_PIPELINE = ""
"""In a tombstone: the run_id is gone whatever pipeline it comes with. No pipeline is named so."""

AFTER_RUNS = (*CHILD_GRAINS, PENDING.name)
"""Tables from which runs are deleted when they are no longer in `runs`."""


class Purge(BaseModel):
    """Which runs are deleted: those that meet every condition given.

    A run that only waits has no time yet, and a message in quarantine neither time nor pipeline:
    what is not known meets no condition.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    run_ids: tuple[str, ...] = ()
    """Runs of these ids."""
    pipeline: str | None = None
    """Runs of this pipeline."""
    before: datetime | None = None
    """Runs that were recorded before this time."""

    @model_validator(mode="after")
    def _has_a_condition(self) -> Purge:
        if not self.run_ids and self.pipeline is None and self.before is None:
            raise ValueError("a purge needs a condition; without one it would delete every run")
        return self

    @property
    def is_of_run_ids_alone(self) -> bool:
        """Whether it deletes whatever has one of the ids, messages in quarantine by their key too."""
        return bool(self.run_ids) and self.pipeline is None and self.before is None

    def of(self, rows: DataFrame) -> DataFrame:
        """Return the rows of a table that are of such runs."""
        if self.run_ids:
            rows = rows.where(F.col("run_id").isin(*self.run_ids))
        if self.pipeline is not None:
            rows = rows.where(F.col("pipeline") == self.pipeline)
        if self.before is not None:
            rows = rows.where(F.col("ts") < F.lit(self.before))
        return rows


class PurgingNote(BaseModel):
    """What the lake's folder says of a purge that is under way."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    purge: Purge
    purged_at: datetime
    """The time in its tombstones, by which they are known."""


@dataclass(frozen=True)
class Purged:
    """What a purge deleted, or would delete."""

    runs: Mapping[str, int]
    """Runs by pipeline, those that only waited included."""
    rows: Mapping[str, int]
    """Rows of all grains by pipeline."""
    quarantined: int
    """Messages in quarantine."""


def rehearse_purge(tables: LakeTables, purge: Purge) -> Purged:
    """Return what a purge would delete; write nothing."""
    rows = [purge.of(tables.read(grain)).select("pipeline") for grain in GRAINS]
    quarantined = 0
    if purge.is_of_run_ids_alone and tables.exist(QUARANTINE.name):
        keys = [bytearray(run_id, "utf-8") for run_id in purge.run_ids]
        quarantined = tables.read(QUARANTINE.name).where(F.col("key").isin(keys)).count()
    return Purged(
        runs=_by_pipeline(_chosen(tables, purge)),
        rows=_by_pipeline(reduce(DataFrame.union, rows)),
        quarantined=quarantined,
    )


def purge_runs(tables: LakeTables, purge: Purge, delete: Delete) -> Purged:
    """Delete runs; the caller is the lake's only writer.

    Args:
        tables: The lake's tables.
        purge: Which runs.
        delete: Deletes the rows of a table.

    Returns:
        What was deleted.

    Raises:
        TableWriteError: Delta refused; the next writer goes on with the purge.
    """
    purged = rehearse_purge(tables, purge)
    # Of a run_id there may be messages that no sink has read yet.
    if purged.runs or purge.is_of_run_ids_alone:
        note = PurgingNote(purge=purge, purged_at=datetime.now(timezone.utc))
        Folder(tables.spark, tables.root).write_text(PURGING_NOTE, note.model_dump_json())
        finish_purge(tables, delete)
    return purged


def finish_purge(tables: LakeTables, delete: Delete) -> bool:
    """Go on with a purge that broke off, wherever it did, up to its end.

    Args:
        tables: The lake's tables.
        delete: Deletes the rows of a table.

    Returns:
        Whether there was one.

    Raises:
        TableWriteError: Delta refused.
    """
    folder = Folder(tables.spark, tables.root)
    if not folder.has(PURGING_NOTE):
        return False
    try:
        note = PurgingNote.model_validate_json(folder.read_text(PURGING_NOTE))
    except ValueError:  # it ended while it wrote the note, so before it deleted anything
        folder.remove(PURGING_NOTE)
        return False
    if _tombstones(tables, note).isEmpty():
        _remember(tables, note)
    doomed = Keys.of(_tombstones(tables, note))
    delete("runs", doomed)
    with ThreadPoolExecutor(len(AFTER_RUNS), "purge") as pool:
        deleting = [pool.submit(delete, table, doomed) for table in AFTER_RUNS]
    for one in deleting:
        one.result()
    if note.purge.is_of_run_ids_alone:
        keys = pa.table({"key": [run_id.encode() for run_id in note.purge.run_ids]})
        delete(QUARANTINE.name, Keys.of_table(tables.spark, keys))
    folder.remove(PURGING_NOTE)
    return True


def purged_among(runs: Collection[RunKey], purged: DigestSet) -> set[RunKey]:
    """Return which of some runs have a tombstone.

    Args:
        runs: The runs.
        purged: Digests of all tombstones.
    """
    of_any = {run: RunKey(ANY_PIPELINE, run.run_id) for run in runs}
    there = runs_in(purged, [*of_any, *of_any.values()])
    return {run for run in runs if run in there or of_any[run] in there}


def _chosen(tables: LakeTables, purge: Purge) -> DataFrame:
    """Return the keys of the runs, each once."""
    chosen = purge.of(tables.read("runs")).select(*RUN_KEY)
    if purge.before is None and tables.exist(PENDING.name):
        chosen = chosen.union(purge.of(tables.read(PENDING.name)).select(*RUN_KEY))
    return chosen.distinct()


def _tombstones(tables: LakeTables, note: PurgingNote) -> DataFrame:
    of_it = F.col("purged_at") == F.lit(note.purged_at)
    return tables.read(PURGED.name).where(of_it).select(*RUN_KEY)


def _remember(tables: LakeTables, note: PurgingNote) -> None:
    """Write the tombstones; a run that was purged before and written again gets another one."""
    identifier = tables.identifier(PURGED.name)
    stones = _chosen(tables, note.purge)
    if note.purge.is_of_run_ids_alone:
        # Nobody knows the pipelines of what is in quarantine, or still on its way.
        of_any = [RunKey(ANY_PIPELINE, run_id) for run_id in note.purge.run_ids]
        stones = stones.union(tables.spark.createDataFrame(of_any, stones.schema))
    stones = stones.withColumn("purged_at", F.lit(note.purged_at))
    columns = [column.name for column in PURGED.columns]
    try:
        stones.select(*columns).coalesce(1).writeTo(identifier).append()
    except (PySparkException, Py4JError) as exc:
        raise TableWriteError(identifier, first_line(exc)) from exc


def _by_pipeline(runs: DataFrame) -> dict[str, int]:
    counted = runs.groupBy("pipeline").count().collect()
    return {row["pipeline"]: row["count"] for row in sorted(counted, key=lambda row: row[0])}
