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
from typing import Protocol

import pyarrow as pa
from pydantic import BaseModel, ConfigDict, model_validator

from conformare_schemas import CHILD_GRAINS, GRAINS, arrow_schema
from conformare_sink.lake.digests import DigestSet, runs_in
from conformare_sink.lake.layout import PURGING_NOTE
from conformare_sink.lake.tables.own import ACKNOWLEDGEMENTS, PENDING, PURGED, QUARANTINE
from conformare_sink.lake.tables.sql import microseconds_of, one_of, sql_moment, sql_text
from conformare_sink.lake.tables.tables import LakeTables, select_all, select_rows
from conformare_sink.messages.emission import RunKey

ANY_PIPELINE = ""
"""In a tombstone: the run_id is gone whatever pipeline it comes with. No pipeline is named so."""

AFTER_RUNS = (*CHILD_GRAINS, PENDING.name, ACKNOWLEDGEMENTS.name)
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

    def condition(self, dialect: str) -> str:
        """Return the condition that a row of a table is of such a run, as SQL."""
        conditions = []
        if self.run_ids:
            conditions.append(one_of("run_id", self.run_ids))
        if self.pipeline is not None:
            conditions.append(f"pipeline = {sql_text(self.pipeline)}")
        if self.before is not None:
            conditions.append(f"ts < {sql_moment(microseconds_of(self.before), dialect)}")
        return " AND ".join(conditions)


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


class Writer(Protocol):
    """Changes the tables of a lake that is open for writing."""

    def append(self, table: str, rows: pa.Table) -> None:
        """Append rows to a table."""

    def delete(self, table: str, keys: pa.Table) -> int:
        """Delete the rows of a table that have one of some keys; return how many there were."""


def rehearse_purge(tables: LakeTables, purge: Purge) -> Purged:
    """Return what a purge would delete; write nothing."""
    rows: dict[str, int] = {}
    for grain in GRAINS:
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
    if purged.runs or purge.is_of_run_ids_alone:
        note = PurgingNote(purge=purge, purged_at=datetime.now(timezone.utc))
        tables.storage.write(PURGING_NOTE, note.model_dump_json().encode())
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
    if note.purge.is_of_run_ids_alone:
        keys = pa.table({"key": [run_id.encode() for run_id in note.purge.run_ids]})
        writer.delete(QUARANTINE.name, keys)
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


def _chosen(tables: LakeTables, purge: Purge) -> set[RunKey]:
    """Return the runs, those included that only wait, which have no time yet."""
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
    if not purge.is_of_run_ids_alone or not tables.exist(QUARANTINE.name):
        return 0
    keys = ", ".join(f"X'{run_id.encode().hex()}'" for run_id in purge.run_ids)
    sql = f"SELECT count(*) AS n FROM {QUARANTINE.name} WHERE key IN ({keys})"  # noqa: S608 - digits
    return int(select_rows(tables, sql, QUARANTINE.name)[0]["n"])
