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
        condition = _ALL if until is None else sql.composed("ts <= {ts}", ts=sql.moment(until))
        if depth == 1:
            return self._newest(condition)
        counts = self._counts(condition)
        runs = self._last_runs(
            depth, condition, sql.composed(_USUALLY_SINCE, n=sql.number(2 * depth))
        )
        # Runs that come in bursts may have more before that time.
        few = {key.pipeline for key, rows in runs.items() if len(rows) < min(depth, counts[key])}
        if few:
            asked = pa.table({"pipeline": pa.array(sorted(few), pa.string())})
            runs |= self._last_runs(depth, condition, sql.composed("min(ts)"), asked)
        return [run for of_pipeline in runs.values() for run in of_pipeline]

    def run_counts(self) -> Mapping[PipelineKey, int]:
        """See `FleetStore`."""
        return self._counts(_ALL)

    def _counts(self, condition: sql.Sql) -> dict[PipelineKey, int]:
        rows = self._tables.rows(
            sql.composed(
                "SELECT pipeline, env, count(*) AS n FROM runs WHERE {condition} GROUP BY 1, 2",
                condition=condition,
            )
        )
        return {PipelineKey(row["pipeline"], row["env"]): row["n"] for row in rows}

    def run_keys(self, since: datetime | None = None) -> Iterator[RunKey]:
        """See `FleetStore`."""
        condition = _ALL if since is None else _since(since)
        found = self._tables.found(
            sql.composed(
                "SELECT pipeline, run_id FROM runs WHERE {condition} ORDER BY ts, run_id",
                condition=condition,
            )
        )
        for batch in found.to_batches():
            yield from map(RunKey, *(column.to_pylist() for column in batch.columns))

    def last_healthy(self, *, evaluated: bool) -> list[Row]:
        """See `FleetStore`."""
        return self._newest(_EVALUATED if evaluated else _HEALTHY)

    def _last_runs(
        self, depth: int, condition: sql.Sql, since: sql.Sql, asked: pa.Table | None = None
    ) -> dict[PipelineKey, list[Row]]:
        """Return the newest runs of each pipeline and environment, newest first.

        The engine keeps the left side of a join in memory: what is small stands there.

        Args:
            depth: How many of each at most.
            condition: What holds for them.
            since: From which time on a pipeline's runs are looked at, as an aggregate of them.
            asked: Which pipelines; None for all.
        """
        query = sql.composed(
            "SELECT {columns} FROM (SELECT {of_run}, row_number() OVER (PARTITION BY r.pipeline, r.env "
            "ORDER BY r.ts DESC, r.run_id DESC) AS nth FROM {asked} (SELECT pipeline, env, {since} AS "
            "since FROM runs WHERE {condition} GROUP BY 1, 2) AS k {on_asked} JOIN (SELECT * FROM runs "
            "WHERE {condition}) AS r ON {same_key} AND r.ts >= k.since) WHERE nth <= {depth}",
            columns=sql.joined(map(sql.name, STRIP_COLUMNS)),
            of_run=_STRIP,
            asked=sql.NOTHING if asked is None else sql.composed("asked AS a JOIN"),
            since=since,
            condition=condition,
            on_asked=sql.NOTHING if asked is None else sql.composed("ON a.pipeline = k.pipeline"),
            same_key=_SAME_KEY,
            depth=sql.number(depth),
        )
        rows = self._tables.rows(query, asked)
        return by_pipeline(rows)

    def _newest(self, condition: sql.Sql) -> list[Row]:
        """Return the newest run of each pipeline and environment for which a condition holds."""
        runs = self._tables.rows(
            sql.composed(
                "SELECT {of_run} FROM (SELECT pipeline, env, max(ts) AS ts FROM runs WHERE {condition} "
                "GROUP BY 1, 2) AS k JOIN (SELECT * FROM runs WHERE {condition}) AS r ON {same_key} AND "
                "r.ts = k.ts",
                of_run=_STRIP,
                condition=condition,
                same_key=_SAME_KEY,
            )
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
        conditions = [sql.composed("pipeline = {pipeline}", pipeline=sql.text(pipeline))]
        if since is not None:
            conditions.append(_since(since))
        if until is not None:
            conditions.append(sql.composed("ts <= {ts}", ts=sql.moment(until)))
        return self._tables.rows(
            sql.composed(
                "SELECT {columns} FROM runs AS r WHERE {conditions} ORDER BY ts DESC, run_id DESC {limit}",
                columns=self._columns("runs"),
                conditions=sql.joined(conditions, " AND "),
                limit=sql.NOTHING
                if limit is None
                else sql.composed("LIMIT {n}", n=sql.number(limit)),
            )
        )

    def found(self, run_id: str) -> list[Row]:
        """See `FleetStore`."""
        return self._tables.rows(
            sql.composed(
                "SELECT {columns} FROM runs AS r WHERE run_id = {run_id} ORDER BY pipeline",
                columns=self._columns("runs"),
                run_id=sql.text(run_id),
            )
        )

    def expectation_counts(self, since: datetime) -> list[ExpectationCount]:
        """See `FleetStore`."""
        rows = self._tables.rows(
            sql.composed(
                'SELECT e.pipeline, r.env, e.expectation, e."column", count(*) AS asked, '
                "count(CASE WHEN NOT e.success THEN 1 END) AS failed, "
                "count(CASE WHEN e.success IS NULL THEN 1 END) AS errored "
                "FROM (SELECT * FROM expectations WHERE {recent}) AS e "
                "JOIN (SELECT * FROM runs WHERE {recent}) AS r ON {same_emission} GROUP BY 1, 2, 3, 4",
                recent=_since(since),
                same_emission=_same_emission("e"),
            )
        )
        return [ExpectationCount(**row) for row in rows]

    def owners_seen(self) -> list[OwnerSeen]:
        """See `FleetStore`."""
        # A join with all runs takes long; it is wanted only where the last row is of a run that has
        # not landed.
        last = self._tables.rows(
            sql.composed(
                "WITH last AS (SELECT owner, pipeline, max(ts) AS ts FROM owners GROUP BY 1, 2) "
                "SELECT l.owner, l.pipeline, l.ts AS last_ts, count(r.emission_id) AS landed FROM last "
                "AS l JOIN owners AS o ON l.owner = o.owner AND l.pipeline = o.pipeline AND l.ts = o.ts "
                "LEFT JOIN runs AS r ON {same_emission} GROUP BY 1, 2, 3",
                same_emission=_same_emission("o"),
            )
        )
        if not all(row.pop("landed") for row in last):
            last = self._tables.rows(
                sql.composed(
                    "SELECT o.owner, o.pipeline, max(o.ts) AS last_ts FROM runs AS r JOIN owners AS o "
                    "ON {same_emission} GROUP BY 1, 2",
                    same_emission=_same_emission("o"),
                )
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
            return self._tables.rows(sql.composed("SELECT * FROM {table}", table=sql.name(grain)))
        if grain == "runs":
            return self._tables.rows(
                sql.composed("SELECT {columns} FROM runs AS r", columns=self._columns("runs"))
            )
        return self._tables.rows(
            sql.composed(
                "SELECT c.*, r.env FROM {table} AS c JOIN runs AS r ON {same_emission}",
                table=sql.name(grain),
                same_emission=_same_emission("c"),
            )
        )

    def changes(self) -> Changes | None:
        """See `FleetStore`."""
        return self._watch.changes()

    def _columns(self, grain: str) -> sql.Sql:
        return sql.joined(_of_run(column) for column in self._tables.columns(grain))

    def _asked_rows(self, grain: str, asked: pa.Table, ids: Collection[str] = ()) -> list[Row]:
        """Return the rows of a grain of the runs that a table asks for by some of their columns.

        Args:
            grain: The grain.
            asked: The table.
            ids: What their run_id is one of, if that is known.
        """
        if grain == "runs":
            query = sql.composed(
                "SELECT {columns} FROM asked AS a JOIN runs AS r ON {same} WHERE {chosen}",
                columns=self._columns("runs"),
                same=_same(asked, "r"),
                chosen=_one_of("r", ids),
            )
        else:
            query = sql.composed(
                "SELECT c.*, r.env FROM asked AS a JOIN runs AS r ON {same_run} JOIN {table} AS c "
                "ON {same} AND {same_emission} WHERE {chosen_run} AND {chosen}",
                same_run=_same(asked, "r"),
                table=sql.name(grain),
                same=_same(asked, "c"),
                same_emission=_same_emission("c"),
                chosen_run=_one_of("r", ids),
                chosen=_one_of("c", ids),
            )
        return self._tables.rows(query, asked)


def _since(ts: datetime) -> sql.Sql:
    return sql.composed("ts >= {ts}", ts=sql.moment(ts))


def _one_of(alias: str, ids: Collection[str]) -> sql.Sql:
    if not ids:
        return _ALL
    return sql.composed(
        "{alias}.run_id IN ({ids})", alias=sql.name(alias), ids=sql.texts(sorted(ids))
    )


def _same(asked: pa.Table, alias: str) -> sql.Sql:
    return sql.joined(
        (
            sql.composed("a.{column} = {alias}.{column}", alias=sql.name(alias), column=one)
            for one in map(sql.name, asked.column_names)
        ),
        " AND ",
    )


def _same_emission(alias: str) -> sql.Sql:
    """A row counts with the emission that is in `runs`. No two emissions have one id."""
    return sql.composed(
        "{alias}.emission_id = r.emission_id AND {alias}.pipeline = r.pipeline",
        alias=sql.name(alias),
    )


def _of_run(column: str) -> sql.Sql:
    return sql.composed("r.{column}", column=sql.name(column))


_ALL = sql.composed("TRUE")
_SAME_KEY = sql.composed("r.pipeline = k.pipeline AND (r.env IS NOT DISTINCT FROM k.env)")
_STRIP = sql.joined(map(_of_run, STRIP_COLUMNS))
_USUALLY_SINCE = (
    "arrow_cast(arrow_cast(max(ts), 'Int64') - (arrow_cast(max(ts), 'Int64') - "
    "arrow_cast(min(ts), 'Int64')) / count(*) * {n}, "
    """'Timestamp(Microsecond, Some("UTC"))')"""
)
"""The time since which a pipeline has so many runs, if they come regularly."""
_HEALTHY = sql.composed("status = 'healthy'")
_EVALUATED = sql.composed(
    "status = 'healthy' AND coalesce(ge_evaluated, 0) > coalesce(ge_errored, 0)"
)
"""Of healthy runs, those of which `is_evaluated` is true."""
