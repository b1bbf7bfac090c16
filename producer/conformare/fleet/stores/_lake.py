"""A lake as a store: its Delta tables, asked in SQL where they are."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime

import pyarrow as pa

from conformare.fleet.stores import _sql as sql
from conformare.fleet.stores._delta import DeltaTables
from conformare.fleet.stores._lake_changes import Watch
from conformare.fleet.stores._lake_segments import lake_segments
from conformare.fleet.stores._order import by_pipeline
from conformare.fleet.stores._store import (
    STRIP_COLUMNS,
    Changes,
    ContextKey,
    ExpectationCount,
    OwnerSeen,
    PipelineKey,
    Row,
    RunKey,
    Segment,
)
from conformare_schemas import acknowledgements_table

ACKNOWLEDGEMENTS = acknowledgements_table()
FEW_RUNS = 20
NEWEST_FIRST = "ORDER BY ts DESC, run_id DESC"


class LakeStore:
    """The runs of a lake.

    Args:
        tables: Its tables.
    """

    def __init__(self, tables: DeltaTables) -> None:
        self._tables = tables
        self._watch = Watch(tables)
        self.place = tables.place

    def newest_runs(self, depth: int, until: datetime | None = None) -> list[Row]:
        """See `FleetStore`."""
        condition = "TRUE" if until is None else f"ts <= {sql.moment(until)}"
        # Few columns go through the window; of a million runs, all would take a gigabyte.
        runs = self._tables.rows(
            f"SELECT {_STRIP} FROM runs AS r JOIN (SELECT pipeline, env, min(ts) AS first, max(ts) AS "
            "last FROM (SELECT pipeline, env, ts, row_number() OVER (PARTITION BY pipeline, env ORDER "
            f"BY ts DESC) AS nth FROM runs WHERE {condition}) WHERE nth <= {depth} GROUP BY 1, 2) AS k "
            f"ON {_SAME_KEY} AND r.ts >= k.first AND r.ts <= k.last"
        )
        # Runs of the same time as the last one are more than were asked for.
        return [run for of_pipeline in by_pipeline(runs).values() for run in of_pipeline[:depth]]

    def run_counts(self) -> Mapping[PipelineKey, int]:
        """See `FleetStore`."""
        rows = self._tables.rows("SELECT pipeline, env, count(*) AS n FROM runs GROUP BY 1, 2")
        return {PipelineKey(row["pipeline"], row["env"]): row["n"] for row in rows}

    def run_keys(self, since: datetime | None = None) -> Iterator[RunKey]:
        """See `FleetStore`."""
        condition = "TRUE" if since is None else f"ts >= {sql.moment(since)}"
        found = self._tables.found(
            f"SELECT pipeline, run_id FROM runs WHERE {condition} ORDER BY ts, run_id"
        )
        for batch in found.to_batches():
            yield from map(RunKey, *(column.to_pylist() for column in batch.columns))

    def last_healthy(self) -> list[Row]:
        """See `FleetStore`."""
        runs = self._tables.rows(
            f"SELECT {_STRIP} FROM (SELECT * FROM runs WHERE {_HEALTHY}) AS r JOIN "
            f"(SELECT pipeline, env, max(ts) AS ts FROM runs WHERE {_HEALTHY} GROUP BY 1, 2) AS k ON "
            f"{_SAME_KEY} AND r.ts = k.ts"
        )
        return [of_pipeline[0] for of_pipeline in by_pipeline(runs).values()]

    def segments(
        self, pipelines: Collection[str] | None = None
    ) -> Mapping[ContextKey, Sequence[Segment]]:
        """See `FleetStore`."""
        return lake_segments(self._tables, pipelines)

    def contexts_at(self, times: Collection[tuple[str, datetime]]) -> list[Row]:
        """See `FleetStore`."""
        names, moments = zip(*sorted(set(times)), strict=True) if times else ((), ())
        asked = pa.table(
            {
                "pipeline": pa.array(names, pa.string()),
                "ts": pa.array(moments, pa.timestamp("us", "UTC")),
            }
        )
        return self._asked_rows("contexts", asked) if times else []

    def rows_of(self, grain: str, runs: Collection[RunKey]) -> list[Row]:
        """See `FleetStore`."""
        if not runs:
            return []
        names, ids = zip(*sorted(set(runs)), strict=True)
        asked = pa.table({"pipeline": pa.array(names), "run_id": pa.array(ids)})
        # Few are found at once, without a look at all other runs.
        return self._asked_rows(grain, asked, set(ids) if len(asked) <= FEW_RUNS else ())

    def history(
        self,
        pipeline: str,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int | None = None,
    ) -> list[Row]:
        """See `FleetStore`."""
        conditions = [f"pipeline = {sql.text(pipeline)}"]
        conditions += [f"ts >= {sql.moment(since)}"] if since is not None else []
        conditions += [f"ts <= {sql.moment(until)}"] if until is not None else []
        return self._tables.rows(
            f"SELECT {self._columns('runs')} FROM runs AS r WHERE {' AND '.join(conditions)} "
            f"{NEWEST_FIRST}{'' if limit is None else f' LIMIT {limit}'}"
        )

    def found(self, run_id: str) -> list[Row]:
        """See `FleetStore`."""
        return self._tables.rows(
            f"SELECT {self._columns('runs')} FROM runs AS r WHERE run_id = {sql.text(run_id)} "
            "ORDER BY pipeline"
        )

    def expectation_counts(self, since: datetime) -> list[ExpectationCount]:
        """See `FleetStore`."""
        recent = f"ts >= {sql.moment(since)}"
        rows = self._tables.rows(
            'SELECT e.pipeline, r.env, e.expectation, e."column", count(*) AS asked, '
            "count(CASE WHEN NOT e.success THEN 1 END) AS failed, "
            "count(CASE WHEN e.success IS NULL THEN 1 END) AS errored "
            f"FROM (SELECT * FROM expectations WHERE {recent}) AS e "
            f"JOIN (SELECT * FROM runs WHERE {recent}) AS r ON {_SAME_EMISSION.format('e')} "
            "GROUP BY 1, 2, 3, 4"
        )
        return [ExpectationCount(**row) for row in rows]

    def owners_seen(self) -> list[OwnerSeen]:
        """See `FleetStore`."""
        rows = self._tables.rows(
            "SELECT o.owner, o.pipeline, max(o.ts) AS last_ts FROM owners AS o LEFT SEMI JOIN runs "
            f"AS r ON {_SAME_EMISSION.format('o')} GROUP BY 1, 2"
        )
        return [OwnerSeen(**row) for row in rows]

    def acknowledgements(self) -> list[Row]:
        """See `FleetStore`."""
        return self.whole(ACKNOWLEDGEMENTS.name)

    def source_risks(self) -> list[Row]:
        """See `FleetStore`."""
        return self.whole("source_risks")

    def acknowledge(self, row: Row) -> None:
        """See `FleetStore`."""
        self._tables.append(ACKNOWLEDGEMENTS, row)

    def whole(self, grain: str) -> list[Row]:
        """See `FleetStore`."""
        if not self._tables.has(grain):
            return []
        if grain in ("source_risks", ACKNOWLEDGEMENTS.name):
            return self._tables.rows(f"SELECT * FROM {sql.name(grain)}")
        if grain == "runs":
            return self._tables.rows(f"SELECT {self._columns('runs')} FROM runs AS r")
        return self._tables.rows(
            f"SELECT c.*, r.env FROM {sql.name(grain)} AS c JOIN runs AS r "
            f"ON {_SAME_EMISSION.format('c')}"
        )

    def changes(self) -> Changes | None:
        """See `FleetStore`."""
        return self._watch.changes()

    def _columns(self, grain: str) -> str:
        return ", ".join(f"r.{sql.name(column)}" for column in self._tables.columns(grain))

    def _asked_rows(self, grain: str, asked: pa.Table, ids: Collection[str] = ()) -> list[Row]:
        """Return the rows of a grain of the runs that a table asks for by some of their columns.

        Args:
            grain: The grain.
            asked: The table.
            ids: What their run_id is one of, if that is known.
        """
        of = f".run_id IN ({sql.texts(sorted(ids))})"
        runs = f"asked AS a JOIN runs AS r ON {_same(asked, 'r')}"
        if grain == "runs":
            return self._tables.rows(
                f"SELECT {self._columns('runs')} FROM {runs}{f' WHERE r{of}' if ids else ''}", asked
            )
        return self._tables.rows(
            f"SELECT c.*, r.env FROM {runs} JOIN {sql.name(grain)} AS c ON {_same(asked, 'c')} AND "
            f"{_SAME_EMISSION.format('c')}{f' WHERE r{of} AND c{of}' if ids else ''}",
            asked,
        )


def _same(asked: pa.Table, alias: str) -> str:
    return " AND ".join(f"a.{column} = {alias}.{column}" for column in asked.column_names)


_SAME_EMISSION = "{0}.emission_id = r.emission_id AND {0}.pipeline = r.pipeline"
"""A row counts with the emission that is in `runs`. No two emissions have one id."""

_SAME_KEY = "r.pipeline = k.pipeline AND (r.env IS NOT DISTINCT FROM k.env)"
_STRIP = ", ".join(f"r.{column}" for column in STRIP_COLUMNS)
_HEALTHY = "status = 'healthy'"
