"""The fingerprints of contexts over time, from a lake of any size.

All contexts are put into few groups of the same fingerprints first. Where the times of the groups
of a context do not overlap, they are its segments. Where they do, its runs are looked at one by
one: code went back and forth, two contexts of one run have one label, or runs came late.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

import pyarrow as pa

from conformare.fleet.stores import _sql as sql
from conformare.fleet.stores._delta import DeltaTables
from conformare.fleet.stores._order import joined_segments
from conformare.fleet.stores._store import ContextKey, Row, Segment

_KEY = sql.composed("c.pipeline, r.env, c.context_label")
_CONTEXTS = sql.composed("contexts AS c JOIN runs AS r ON c.emission_id = r.emission_id")
_CHOSEN = sql.composed("LEFT SEMI JOIN asked AS a ON c.pipeline = a.pipeline")
_GROUPS = (
    "SELECT {key}, c.impl_hash, c.risk_hash, min(c.ts) AS first_ts, max(c.ts) AS last_ts "
    "FROM {contexts} {chosen} GROUP BY 1, 2, 3, 4, 5"
)
_JOINED = "array_to_string(array_sort(array_agg(DISTINCT c.{of})), '+') AS {of}"
_PER_RUN = sql.composed(
    "SELECT {key}, c.ts, c.run_id, {impl_hash}, {risk_hash} FROM {contexts} {chosen} "
    "AND c.context_label = a.context_label GROUP BY 1, 2, 3, 4, 5",
    key=_KEY,
    impl_hash=sql.composed(_JOINED, of=sql.name("impl_hash")),
    risk_hash=sql.composed(_JOINED, of=sql.name("risk_hash")),
    contexts=_CONTEXTS,
    chosen=_CHOSEN,
)
_TURNS = sql.composed(
    "SELECT * FROM (SELECT *, lag(impl_hash) OVER w AS impl_before, lag(risk_hash) OVER w AS "
    "risk_before, lag(ts) OVER w AS ts_before, lag(run_id) OVER w AS run_before, lead(ts) OVER w IS "
    "NULL AS is_last FROM "
    "({per_run}) WINDOW w AS (PARTITION BY pipeline, env, context_label ORDER BY ts, run_id)) "
    "WHERE is_last OR impl_before IS NULL OR impl_before <> impl_hash OR risk_before <> risk_hash "
    "ORDER BY ts, run_id",
    per_run=_PER_RUN,
)


def lake_segments(
    tables: DeltaTables, pipelines: Collection[str] | None
) -> dict[ContextKey, Sequence[Segment]]:
    """Return the fingerprints of every context over time, oldest first.

    Args:
        tables: The lake's tables.
        pipelines: Of these alone; None for all.
    """
    groups: dict[ContextKey, list[Segment]] = defaultdict(list)
    asked = None if pipelines is None else pa.table({"pipeline": pa.array(pipelines, pa.string())})
    chosen = sql.NOTHING if asked is None else _CHOSEN
    groups_of = sql.composed(_GROUPS, key=_KEY, contexts=_CONTEXTS, chosen=chosen)
    for row in tables.rows(groups_of, asked):
        groups[_key(row)].append(_segment(row, "first_ts", "last_ts"))
    found: dict[ContextKey, Sequence[Segment]] = {}
    tangled: set[ContextKey] = set()
    for key, segments in groups.items():
        found[key] = sorted(segments, key=lambda segment: segment.first_ts)
        if any(later.first_ts <= before.last_ts for before, later in pairwise(found[key])):
            tangled.add(key)
    found.update(_one_by_one(tables, tangled))
    return found


def _one_by_one(
    tables: DeltaTables, keys: Collection[ContextKey]
) -> Mapping[ContextKey, Sequence[Segment]]:
    found: dict[ContextKey, list[Segment]] = defaultdict(list)
    asked = pa.table(
        {
            "pipeline": pa.array([key.pipeline for key in keys], pa.string()),
            "context_label": pa.array([key.label for key in keys], pa.string()),
        }
    )
    for row in tables.rows(_TURNS, asked) if keys else ():
        key, segments = _key(row), found[_key(row)]
        if segments:
            before = {"last_ts": row["ts_before"], "last_run": row["run_before"]}
            segments[-1] = replace(segments[-1], **before)
        run_ids = {"first_run": row["run_id"], "last_run": row["run_id"]}
        found[key] = joined_segments(segments, replace(_segment(row, "ts", "ts"), **run_ids))
    return {key: found[key] for key in keys}


def _segment(row: Row, first: str, last: str) -> Segment:
    return Segment(row["impl_hash"], row["risk_hash"], row[first], row[last])


def _key(row: Row) -> ContextKey:
    return ContextKey(row["pipeline"], row["env"], row["context_label"])
