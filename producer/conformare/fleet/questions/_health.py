"""How each pipeline is: by its newest run, and by how long ago that was."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from math import ceil
from typing import Literal

from conformare.fleet._fleet import EVERYTHING, Filters, Fleet
from conformare.fleet.stores import PipelineKey, Row, is_evaluated

Health = Literal["failed", "degraded", "stale", "unknown", "healthy"]
HEALTHS: tuple[Health, ...] = ("failed", "degraded", "stale", "unknown", "healthy")
"""Every health, the most urgent first."""

RHYTHM_GAPS = 3
"""Fewer gaps between runs than these are no rhythm."""
RHYTHM_SHARE = 0.9
"""A gap is usual up to the one that so large a share of the last ones does not exceed, so a
pipeline of working days is not stale on Monday."""
PATIENCE = 2.0
"""A pipeline is stale when its newest run is so many usual gaps old."""
LEAST_PATIENCE = timedelta(minutes=15)
FLAPS = 3
"""A pipeline flaps when its health has changed so often in its last runs."""
FLAPPING_RUNS = 10


@dataclass(frozen=True)
class RunMark:
    """One run in a strip."""

    run_id: str
    ts: datetime
    health: Health


@dataclass(frozen=True)
class PipelineHealth:
    """How a pipeline is in one environment.

    Attributes:
        health: Of the newest run; stale where that would be healthy or unknown, and is too old.
        is_stale: Whether the newest run is too old, whatever its health.
        run_id: The newest run.
        due_after: A newest run that is older is stale, by the fleet's limit or by the pipeline's own
            rhythm; None where nothing says.
        streak: How many of the newest runs in a row have the same health, up to 30.
        is_flapping: Whether the health has changed again and again lately.
        last_healthy_run: The newest one that was healthy; None where none ever was.
        strip: The newest runs, oldest first.
    """

    pipeline: str
    env: str | None
    health: Health
    is_stale: bool
    run_id: str
    ts: datetime
    age: timedelta
    due_after: timedelta | None
    streak: int
    is_flapping: bool
    last_healthy_run: str | None
    last_healthy_ts: datetime | None
    runs: int
    owners: tuple[str, ...]
    tags: dict[str, str]
    strip: tuple[RunMark, ...]

    @property
    def key(self) -> PipelineKey:
        """The pipeline and its environment."""
        return PipelineKey(self.pipeline, self.env)


def health(fleet: Fleet, filters: Filters = EVERYTHING) -> list[PipelineHealth]:
    """Return how each pipeline is, the most urgent first.

    Args:
        fleet: The fleet.
        filters: Which pipelines.
    """
    found = [_of_pipeline(fleet, key) for key in fleet.chosen(filters)]
    return sorted(found, key=lambda one: HEALTHS.index(one.health))


def health_of_run(run: Row) -> Health:
    """Return how a run is: its status, or unknown where no expectation gave an answer."""
    if run["status"] in ("failed", "degraded"):
        return "failed" if run["status"] == "failed" else "degraded"
    return "healthy" if is_evaluated(run) else "unknown"


def due_after(runs: Sequence[Row]) -> timedelta | None:
    """Return after what time a next run is overdue by the rhythm of the last ones.

    Args:
        runs: The newest runs of a pipeline, newest first.
    """
    gaps = sorted(later["ts"] - earlier["ts"] for later, earlier in pairwise(runs))
    if len(gaps) < RHYTHM_GAPS:
        return None
    usual: timedelta = gaps[ceil(RHYTHM_SHARE * len(gaps)) - 1]
    return max(PATIENCE * usual, LEAST_PATIENCE)


def _of_pipeline(fleet: Fleet, key: PipelineKey) -> PipelineHealth:
    runs = fleet.strips()[key]
    strip, rhythm = _strip(fleet, key, runs)
    newest, age = fleet.rows("runs")[key][0], fleet.now - runs[0]["ts"]
    limits = [limit for limit in (fleet.max_age, rhythm) if limit is not None]
    due = min(limits, default=None)
    is_stale = due is not None and age > due
    healths = [mark.health for mark in reversed(strip)]
    of_newest = healths[0]
    healthy = fleet.last_healthy().get(key)
    lately = healths[:FLAPPING_RUNS]
    changes = sum(one != other for one, other in pairwise(lately))
    return PipelineHealth(
        pipeline=key.pipeline,
        env=key.env,
        health="stale" if is_stale and of_newest in ("healthy", "unknown") else of_newest,
        is_stale=is_stale,
        run_id=newest["run_id"],
        ts=newest["ts"],
        age=age,
        due_after=due,
        streak=next((n for n, one in enumerate(healths) if one != of_newest), len(healths)),
        is_flapping=changes >= FLAPS,
        last_healthy_run=healthy["run_id"] if healthy else None,
        last_healthy_ts=healthy["ts"] if healthy else None,
        runs=fleet.run_counts()[key],
        owners=tuple(fleet.owners(key)),
        tags=dict(newest["tags"] or {}),
        strip=strip,
    )


def _strip(
    fleet: Fleet, key: PipelineKey, runs: Sequence[Row]
) -> tuple[tuple[RunMark, ...], timedelta | None]:
    """Return the strip of a pipeline, and its rhythm: kept until it has another run."""
    identity = runs[0]["run_id"], runs[-1]["run_id"], len(runs)
    known = fleet.facts(key.pipeline).get(("strip", key))
    if known is None or known[0] != identity:
        marks = tuple(RunMark(run["run_id"], run["ts"], health_of_run(run)) for run in runs[::-1])
        known = fleet.facts(key.pipeline)[("strip", key)] = identity, marks, due_after(runs)
    return known[1], known[2]
