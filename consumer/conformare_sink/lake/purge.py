"""Runs and declarations are deleted on purpose, and remembered, so that nothing brings them back.

What a purge deletes is settled by one commit, that of its tombstones in `purged`. Before it nothing
has gone, after it everything goes: a note in the lake's folder tells the next writer to go on where
a crash ended it. `runs` goes first: no reader who begins there from then on sees a part of a run.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Protocol

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import BaseModel, ConfigDict, model_validator

from conformare_schemas import (
    CHILD_GRAINS,
    EMISSION_COLUMN,
    RUN_GRAINS,
    SOURCE_RISKS,
    arrow_schema,
)
from conformare_sink.lake.digests import DigestSet, runs_in
from conformare_sink.lake.layout import PURGING_NOTE
from conformare_sink.lake.tables.own import ACKNOWLEDGEMENTS, PENDING, PURGED, QUARANTINE
from conformare_sink.lake.tables.sql import microseconds_of, one_of, sql_moment, sql_text
from conformare_sink.lake.tables.tables import LakeTables, select_all, select_rows
from conformare_sink.messages.emission import RunKey

ANY_PIPELINE = ""
"""In a tombstone: the run_id is gone whatever pipeline it comes with, and so is the declaration whose
emission_id it is. No pipeline is named so."""

AFTER_RUNS = (*CHILD_GRAINS, PENDING.name, ACKNOWLEDGEMENTS.name)
"""Tables from which runs are deleted when they are no longer in `runs`."""


class Purge(BaseModel):
    """Which runs, or which declarations, are deleted: those that meet every condition given.

    A run that only waits has no time yet, and a message in quarantine neither time nor pipeline:
    what is not known meets no condition.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    run_ids: tuple[str, ...] = ()
    """Runs of these ids."""
    pipeline: str | None = None
    """Runs of this pipeline."""
    before: datetime | None = None
    """Runs that were recorded, or risks that were declared, before this time."""
    location: str | None = None
    """What was declared of this location, in place of any runs."""

    @model_validator(mode="after")
    def _has_a_condition(self) -> Purge:
        names_runs = bool(self.run_ids) or self.pipeline is not None
        if self.location is not None and names_runs:
            raise ValueError(
                "declarations of a location belong to no run and no pipeline: leave out --run-id and --pipeline"
            )
        if self.location is None and not names_runs and self.before is None:
            raise ValueError("a purge needs a condition; without one it would delete every run")
        return self

    @property
    def is_of_run_ids_alone(self) -> bool:
        """Whether it deletes whatever has one of the ids, messages in quarantine by their key too."""
        return bool(self.run_ids) and self.pipeline is None and self.before is None

    @property
    def keys(self) -> tuple[str, ...]:
        """Keys of messages in quarantine that go, too."""
        if self.location is not None and self.before is None:
            return (self.location,)
        return self.run_ids if self.is_of_run_ids_alone else ()

    def condition(self, dialect: str) -> str:
        """Return the condition that a row of a table is of such a run, as SQL."""
        conditions = []
        if self.run_ids:
            conditions.append(one_of("run_id", self.run_ids))
        if self.pipeline is not None:
            conditions.append(f"pipeline = {sql_text(self.pipeline)}")
        if self.location is not None:
            conditions.append(f"location = {sql_text(self.location)}")
        if self.before is not None:
            conditions.append(f"ts < {sql_moment(microseconds_of(self.before), dialect)}")
        return " AND ".join(conditions)


class PurgingNote(BaseModel):
    """What the lake's folder says of a purge that is under way."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    purge: Purge
    purged_at: datetime
    """The time in its tombstones, by which they are known."""

    def as_json(self) -> bytes:
        """Return the note as it lies in the folder."""
        # Without conditions that are not given: an older sink may not know them.
        return self.model_dump_json(exclude_none=True).encode()


@dataclass(frozen=True)
class Purged:
    """What a purge deleted, or would delete."""

    runs: Mapping[str, int]
    """Runs by pipeline, those that only waited included."""
    rows: Mapping[str, int]
    """Rows of all grains by pipeline."""
    quarantined: int
    """Messages in quarantine."""
    declarations: int = 0
    """Calls of `record_source_risk`."""


class Writer(Protocol):
    """Changes the tables of a lake that is open for writing."""

    def append(self, table: str, rows: pa.Table) -> None:
        """Append rows to a table."""

    def delete(self, table: str, keys: pa.Table) -> int:
        """Delete the rows of a table that have one of some keys; return how many there were."""


def rehearse_purge(tables: LakeTables, purge: Purge) -> Purged:
    """Return what a purge would delete; write nothing."""
    if purge.location is not None:
        n_declared = len(_chosen(tables, purge))
        return Purged({}, {}, _n_quarantined(tables, purge), declarations=n_declared)
    rows: dict[str, int] = {}
    for grain in RUN_GRAINS:
        for pipeline, n_rows in _by_pipeline(tables, grain, purge).items():
            rows[pipeline] = rows.get(pipeline, 0) + n_rows
    runs: dict[str, int] = {}
    for run in _chosen(tables, purge):
        runs[run.pipeline] = runs.get(run.pipeline, 0) + 1
    return Purged(
        runs=dict(sorted(runs.items())),
        rows=dict(sorted(rows.items())),
        quarantined=_n_quarantined(tables, purge),
    )


def purge_runs(tables: LakeTables, purge: Purge, writer: Writer) -> Purged:
    """Delete runs; the caller is the lake's only writer.

    Args:
        tables: The lake's tables.
        purge: Which runs.
        writer: Changes the tables.

    Returns:
        What was deleted.

    Raises:
        TableWriteError: Delta refused; the next writer resumes the purge.
    """
    purged = rehearse_purge(tables, purge)
    # Of a run_id there may be messages that no sink has read yet.
    if purged.runs or purged.declarations or purge.keys:
        note = PurgingNote(purge=purge, purged_at=datetime.now(timezone.utc))
        tables.storage.write(PURGING_NOTE, note.as_json())
        finish_purge(tables, writer)
    return purged


def finish_purge(tables: LakeTables, writer: Writer) -> bool:
    """Resume a purge that broke off, wherever it did, up to its end.

    Args:
        tables: The lake's tables.
        writer: Changes the tables.

    Returns:
        Whether there was one.

    Raises:
        TableWriteError: Delta refused.
    """
    content = tables.storage.read(PURGING_NOTE)
    if content is None:
        return False
    try:
        note = PurgingNote.model_validate_json(content)
    except ValueError:  # it ended while it wrote the note, so before it deleted anything
        tables.storage.remove(PURGING_NOTE)
        return False
    doomed = _tombstones(tables, note)
    if not doomed.num_rows:
        _remember(tables, note, writer)
        doomed = _tombstones(tables, note)
    writer.delete("runs", doomed)
    with ThreadPoolExecutor(len(AFTER_RUNS), "purge") as pool:
        deleting = [pool.submit(writer.delete, table, doomed) for table in AFTER_RUNS]
    for one in deleting:
        one.result()
    emission_ids = doomed.filter(pc.equal(doomed.column("pipeline"), ANY_PIPELINE)).column("run_id")
    writer.delete(SOURCE_RISKS, pa.table({EMISSION_COLUMN: emission_ids}))
    keys = pa.array([key.encode() for key in note.purge.keys], pa.binary())
    writer.delete(QUARANTINE.name, pa.table({"key": keys}))
    tables.storage.remove(PURGING_NOTE)
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


def purged_declarations(emission_ids: Collection[str], purged: DigestSet) -> set[str]:
    """Return which of some declarations have a tombstone.

    Args:
        emission_ids: Those of the declarations.
        purged: Digests of all tombstones.
    """
    stones = {RunKey(ANY_PIPELINE, emission_id) for emission_id in emission_ids}
    return {stone.run_id for stone in runs_in(purged, stones)}


def _chosen(tables: LakeTables, purge: Purge) -> set[RunKey]:
    """Return the runs, those included that only wait, which have no time yet."""
    if purge.location is not None:
        return _chosen_declarations(tables, purge)
    sources = ["runs"]
    if purge.before is None and tables.exist(PENDING.name):
        sources.append(PENDING.name)
    condition = purge.condition(tables.dialect)
    found: set[RunKey] = set()
    for table in sources:
        sql = f"SELECT DISTINCT pipeline, run_id FROM {table} WHERE {condition}"  # noqa: S608 - texts are quoted
        columns = select_all(tables, sql, table).columns
        found |= set(map(RunKey, *(column.to_pylist() for column in columns)))
    return found


def _chosen_declarations(tables: LakeTables, purge: Purge) -> set[RunKey]:
    if not tables.exist(SOURCE_RISKS):
        return set()
    sql = f"""
        SELECT DISTINCT {EMISSION_COLUMN} FROM {SOURCE_RISKS}
        WHERE {purge.condition(tables.dialect)}
    """  # noqa: S608 - texts are quoted
    found = select_all(tables, sql, SOURCE_RISKS).column(EMISSION_COLUMN).to_pylist()
    return {RunKey(ANY_PIPELINE, emission_id) for emission_id in found}


def _tombstones(tables: LakeTables, note: PurgingNote) -> pa.Table:
    moment = sql_moment(microseconds_of(note.purged_at), tables.dialect)
    sql = f"SELECT run_id, pipeline FROM {PURGED.name} WHERE purged_at = {moment}"  # noqa: S608 - a number
    found = select_all(tables, sql, PURGED.name)
    # Texts that are views elsewhere: keys are compared as the tables have them.
    return found.cast(pa.schema([(name, pa.string()) for name in found.column_names]))


def _remember(tables: LakeTables, note: PurgingNote, writer: Writer) -> None:
    """Write the tombstones; a run that was purged before and written again gets another one."""
    stones = _chosen(tables, note.purge)
    if note.purge.is_of_run_ids_alone:
        # Nobody knows the pipelines of what is in quarantine, or still on its way.
        stones |= {RunKey(ANY_PIPELINE, run_id) for run_id in note.purge.run_ids}
    schema = arrow_schema(PURGED.columns)
    rows = [(run.run_id, run.pipeline, note.purged_at) for run in sorted(stones)]
    columns = zip(*rows, strict=True) if rows else ((), (), ())
    arrays = [pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)]
    writer.append(PURGED.name, pa.table(arrays, schema=schema))


def _by_pipeline(tables: LakeTables, grain: str, purge: Purge) -> dict[str, int]:
    condition = purge.condition(tables.dialect)
    sql = f"SELECT pipeline, count(*) AS n FROM {grain} WHERE {condition} GROUP BY pipeline"  # noqa: S608 - texts are quoted
    return {row["pipeline"]: row["n"] for row in select_rows(tables, sql, grain)}


def _n_quarantined(tables: LakeTables, purge: Purge) -> int:
    if not purge.keys or not tables.exist(QUARANTINE.name):
        return 0
    keys = ", ".join(f"X'{key.encode().hex()}'" for key in purge.keys)
    sql = f"SELECT count(*) AS n FROM {QUARANTINE.name} WHERE key IN ({keys})"  # noqa: S608 - digits
    return int(select_rows(tables, sql, QUARANTINE.name)[0]["n"])
