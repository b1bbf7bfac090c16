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
        if depth == 1:
            return self._newest(condition)
        counts = self._counts(condition)
        runs = self._last_runs(depth, condition, _USUALLY_SINCE.format(2 * depth))
        # Runs that come in bursts may have more before that time.
        few = {key.pipeline for key, rows in runs.items() if len(rows) < min(depth, counts[key])}
        if few:
            asked = pa.table({"pipeline": pa.array(sorted(few), pa.string())})
            runs |= self._last_runs(depth, condition, "min(ts)", asked)
        return [run for of_pipeline in runs.values() for run in of_pipeline]

    def run_counts(self) -> Mapping[PipelineKey, int]:
        """See `FleetStore`."""
        return self._counts("TRUE")

    def _counts(self, condition: str) -> dict[PipelineKey, int]:
        rows = self._tables.rows(
            f"SELECT pipeline, env, count(*) AS n FROM runs WHERE {condition} GROUP BY 1, 2"
        )
        return {PipelineKey(row["pipeline"], row["env"]): row["n"] for row in rows}

    def run_keys(self, since: datetime | None = None) -> Iterator[RunKey]:
        """See `FleetStore`."""
        condition = "TRUE" if since is None else f"ts >= {sql.moment(since)}"
        found = self._tables.found(
            f"SELECT pipeline, run_id FROM runs WHERE {condition} ORDER BY ts, run_id"
        )
        for batch in found.to_batches():
            yield from map(RunKey, *(column.to_pylist() for column in batch.columns))

    def last_healthy(self, *, evaluated: bool) -> list[Row]:
        """See `FleetStore`."""
        return self._newest(f"status = 'healthy'{_EVALUATED if evaluated else ''}")

    def _last_runs(
        self, depth: int, condition: str, since: str, asked: pa.Table | None = None
    ) -> dict[PipelineKey, list[Row]]:
        """Return the newest runs of each pipeline and environment, newest first.

        The engine keeps the left side of a join in memory: what is small stands there.

        Args:
            depth: How many of each at most.
            condition: What holds for them.
            since: From which time on a pipeline's runs are looked at, as an aggregate of them.
            asked: Which pipelines; None for all.
        """
        chosen = "" if asked is None else "asked AS a JOIN "
        on_asked = "" if asked is None else "ON a.pipeline = k.pipeline "
        rows = self._tables.rows(
            f"SELECT {', '.join(STRIP_COLUMNS)} FROM (SELECT {_STRIP}, row_number() OVER (PARTITION BY "
            f"r.pipeline, r.env ORDER BY r.ts DESC, r.run_id DESC) AS nth FROM {chosen}(SELECT pipeline, "
            f"env, {since} AS since FROM runs WHERE {condition} GROUP BY 1, 2) AS k "
            f"{on_asked}JOIN (SELECT * FROM runs WHERE {condition}) AS r ON {_SAME_KEY} AND "
            f"r.ts >= k.since) WHERE nth <= {depth}",
            asked,
        )
        return by_pipeline(rows)

    def _newest(self, condition: str) -> list[Row]:
        """Return the newest run of each pipeline and environment for which a condition holds."""
        runs = self._tables.rows(
            f"SELECT {_STRIP} FROM (SELECT pipeline, env, max(ts) AS ts FROM runs WHERE {condition} "
            f"GROUP BY 1, 2) AS k JOIN (SELECT * FROM runs WHERE {condition}) AS r ON {_SAME_KEY} AND "
            "r.ts = k.ts"
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
        # A join with all runs takes long; it is wanted only where the last row is of a run that has
        # not landed.
        last = self._tables.rows(
            "WITH last AS (SELECT owner, pipeline, max(ts) AS ts FROM owners GROUP BY 1, 2) "
            "SELECT l.owner, l.pipeline, l.ts AS last_ts, count(r.emission_id) AS landed FROM last AS l "
            "JOIN owners AS o ON l.owner = o.owner AND l.pipeline = o.pipeline AND l.ts = o.ts "
            f"LEFT JOIN runs AS r ON {_SAME_EMISSION.format('o')} GROUP BY 1, 2, 3"
        )
        if not all(row.pop("landed") for row in last):
            last = self._tables.rows(
                "SELECT o.owner, o.pipeline, max(o.ts) AS last_ts FROM runs AS r JOIN owners AS o ON "
                f"{_SAME_EMISSION.format('o')} GROUP BY 1, 2"
            )
        return [OwnerSeen(**row) for row in last]

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
_MICROS = "arrow_cast({}(ts), 'Int64')"
_USUALLY_SINCE = (
    f"arrow_cast({_MICROS.format('max')} - ({_MICROS.format('max')} - {_MICROS.format('min')}) / count(*) "
    """* {}, 'Timestamp(Microsecond, Some("UTC"))')"""
)
"""The time since which a pipeline has so many runs, if they come regularly."""
_EVALUATED = " AND coalesce(ge_evaluated, 0) > coalesce(ge_errored, 0)"
"""What `is_evaluated` says of a run."""
