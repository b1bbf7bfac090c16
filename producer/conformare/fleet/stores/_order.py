"""The order of runs, and what follows from it in rows that are in memory."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import groupby

from conformare.fleet.stores._store import ContextKey, PipelineKey, Row, Segment

HASHES = ("impl_hash", "risk_hash")


def order_of(row: Row) -> tuple[datetime, str]:
    """Return what rows are put in the order of their runs by."""
    return row["ts"], row["run_id"]


def pipeline_order(key: PipelineKey) -> tuple[str, bool, str]:
    """Return what pipelines are put in order by: their name, and no environment before any."""
    # An environment that was not said is another than one that is empty.
    return key.pipeline, key.env is not None, key.env or ""


def by_pipeline(runs: Iterable[Row]) -> dict[PipelineKey, list[Row]]:
    """Return runs by pipeline and environment, newest first."""
    found: dict[PipelineKey, list[Row]] = defaultdict(list)
    for run in runs:
        found[PipelineKey(run["pipeline"], run["env"])].append(run)
    for of_pipeline in found.values():
        of_pipeline.sort(key=order_of, reverse=True)
    return found


def segments_of(contexts: Iterable[Row]) -> dict[ContextKey, list[Segment]]:
    """Return the fingerprints of contexts over time, oldest first.

    Args:
        contexts: Rows of `contexts` with the `env` of their runs.
    """
    found: dict[ContextKey, list[Segment]] = {}
    for key, rows in groupby(
        sorted(contexts, key=lambda row: (_context_order(row), order_of(row))),
        _context_key,
    ):
        segments: list[Segment] = []
        for (ts, run_id), of_run in groupby(rows, order_of):
            hashes = fingerprints(list(of_run))
            segments = joined_segments(segments, Segment(*hashes, ts, ts, run_id, run_id))
        found[key] = segments
    return found


def joined_segments(segments: Sequence[Segment], later: Segment) -> list[Segment]:
    """Return segments with a later one, which goes on with the last where nothing has changed.

    Args:
        segments: Of one context, oldest first.
        later: One of that context whose runs are newer than theirs.
    """
    last = segments[-1] if segments else None
    if last and (last.impl_hash, last.risk_hash) == (later.impl_hash, later.risk_hash):
        return [*segments[:-1], replace(last, last_ts=later.last_ts, last_run=later.last_run)]
    return [*segments, later]


def fingerprints(contexts: Sequence[Row]) -> tuple[str, str]:
    """Return the fingerprints of the contexts of one label in one run: of code, and of risks."""
    impl, risk = ("+".join(sorted({row[name] for row in contexts})) for name in HASHES)
    return impl, risk


def _context_key(row: Row) -> ContextKey:
    return ContextKey(row["pipeline"], row["env"], row["context_label"])


def _context_order(row: Row) -> tuple[tuple[str, bool, str], str]:
    return pipeline_order(PipelineKey(row["pipeline"], row["env"])), row["context_label"]
