"""A fleet: what is kept of a store's runs, so that each question is answered from little."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any

from conformare.fleet.stores import (
    ContextKey,
    FleetStore,
    PipelineKey,
    Row,
    RunKey,
    Segment,
    by_pipeline,
    is_evaluated,
    joined_segments,
    order_of,
    pipeline_order,
    segments_of,
)

STRIP_RUNS = 30
"""How many of the newest runs of a pipeline are shown, and tell its rhythm."""

LATE_PIPELINES = 50
"""Late runs of more pipelines than these are not folded in: all is read again."""


@dataclass(frozen=True)
class Filters:
    """Which pipelines an answer covers, judged by their newest runs.

    Attributes:
        pipeline: Its name.
        env: The environment.
        owner: Somebody who owns something of it.
        tags: Tags that its newest run has.
        since: Its newest run is not older.
    """

    pipeline: str | None = None
    env: str | None = None
    owner: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    since: datetime | None = None


EVERYTHING = Filters()


@dataclass
class _Kept:
    """What was read of a store; None for what was not."""

    strips: dict[PipelineKey, list[Row]] | None = None
    newest: list[list[Row]] | None = None
    counts: dict[PipelineKey, int] | None = None
    healthy: dict[PipelineKey, Row] | None = None
    segments: dict[ContextKey, Sequence[Segment]] | None = None
    rows: dict[str, dict[PipelineKey, list[Row]]] = field(default_factory=dict)
    rows_before: dict[str, dict[PipelineKey, list[Row]]] = field(default_factory=dict)
    acknowledged: set[tuple[str, str, str]] | None = None
    source_risks: list[Row] | None = None
    facts: dict[str, dict[Hashable, Any]] = field(default_factory=lambda: defaultdict(dict))


class Fleet:
    """The runs of a store, ready for questions.

    It keeps what it has read; `refresh` adds what has come since.

    Args:
        store: Where they are.
        now: The time from which ages count; the clock's time when not given.
        max_age: A pipeline whose newest run is older is stale.
    """

    def __init__(
        self,
        store: FleetStore,
        *,
        now: datetime | None = None,
        max_age: timedelta | None = None,
    ) -> None:
        self.store = store
        self.max_age = max_age
        self._now = now
        self._kept = _Kept()

    @property
    def now(self) -> datetime:
        """What ages are counted to."""
        return self._now or datetime.now(timezone.utc)

    def strips(self) -> Mapping[PipelineKey, Sequence[Row]]:
        """Return the newest runs of each pipeline and environment, newest first."""
        if self._kept.strips is None:
            self._kept.strips = _by_key(self.store.newest_runs(STRIP_RUNS))
        return self._kept.strips

    def newest(self) -> Mapping[PipelineKey, Row]:
        """Return the newest run of each pipeline and environment, with all its columns."""
        return {key: rows[0] for key, rows in self.rows("runs").items()}

    def run_counts(self) -> Mapping[PipelineKey, int]:
        """Return how many runs each pipeline has in each environment."""
        if self._kept.counts is None:
            self._kept.counts = dict(self.store.run_counts())
        return self._kept.counts

    def last_healthy(self) -> Mapping[PipelineKey, Row]:
        """Return the newest healthy run of each pipeline and environment that has one.

        One in which nothing was evaluated is none.
        """
        if self._kept.healthy is None:
            runs = self.store.last_healthy(evaluated=True)
            self._kept.healthy = {PipelineKey(run["pipeline"], run["env"]): run for run in runs}
        return self._kept.healthy

    def segments(self) -> Mapping[ContextKey, Sequence[Segment]]:
        """Return the fingerprints of every context over time, oldest first."""
        if self._kept.segments is None:
            self._kept.segments = dict(self.store.segments())
        return self._kept.segments

    def rows(self, grain: str) -> Mapping[PipelineKey, Sequence[Row]]:
        """Return the rows of a grain that the newest run of each pipeline has."""
        if grain not in self._kept.rows:
            newest = [run_key(runs[0]) for runs in self._newest_runs(1)]
            self._kept.rows[grain] = _by_key(self.store.rows_of(grain, newest))
        return self._kept.rows[grain]

    def _newest_runs(self, depth: int) -> Iterable[Sequence[Row]]:
        """Return the newest runs of each pipeline; strips are read only where they are wanted."""
        if self._kept.strips is not None:
            return self._kept.strips.values()
        if self._kept.newest is None or depth > 1:
            self._kept.newest = [*by_pipeline(self.store.newest_runs(depth)).values()]
        return self._kept.newest

    def rows_before(self, grain: str) -> Mapping[PipelineKey, Sequence[Row]]:
        """Return the rows of a grain that the last run but one of each pipeline has."""
        if grain not in self._kept.rows_before:
            before = [run_key(runs[1]) for runs in self._newest_runs(2) if len(runs) > 1]
            self._kept.rows_before[grain] = _by_key(self.store.rows_of(grain, before))
        return self._kept.rows_before[grain]

    def acknowledged(self) -> Collection[tuple[str, str, str]]:
        """Return what was acknowledged: pipeline, run_id and label of a context."""
        if self._kept.acknowledged is None:
            rows = self.store.acknowledgements()
            self._kept.acknowledged = {
                (row["pipeline"], row["run_id"], row["context_label"]) for row in rows
            }
        return self._kept.acknowledged

    def acknowledge(self, row: Row) -> None:
        """Append a row to the table `acknowledgements`."""
        self.store.acknowledge(row)
        self._kept.acknowledged = None

    def source_risks(self) -> Sequence[Row]:
        """Return the risks that were declared for a location."""
        if self._kept.source_risks is None:
            self._kept.source_risks = self.store.source_risks()
        return self._kept.source_risks

    def facts(self, pipeline: str) -> dict[Hashable, Any]:
        """Return what questions have found out of a pipeline's runs and want to keep.

        No run changes. It is forgotten where runs may have gone, or have come in between.
        """
        return self._kept.facts[pipeline]

    def owners(self, key: PipelineKey) -> list[str]:
        """Return who owns something in the newest run of a pipeline."""
        return sorted({row["owner"] for row in self.rows("owners").get(key, ())})

    def chosen(self, filters: Filters = EVERYTHING) -> list[PipelineKey]:
        """Return the pipelines that an answer is about, by name and environment."""
        if filters == EVERYTHING:
            return sorted(self.run_counts(), key=pipeline_order)
        found = [key for key, run in self.newest().items() if self._fits(key, run, filters)]
        return sorted(found, key=pipeline_order)

    def refresh(self) -> bool:
        """Add what has come into the store since the last call.

        Returns:
            Whether anything has.
        """
        changes = self.store.changes()
        if changes is None:
            self._kept = _Kept()
            return True
        if changes.acknowledged:
            self._kept.acknowledged = None
            self._kept.source_risks = None
        try:
            self._fold(changes.runs)
        except BaseException:
            # They will not come a second time: all is to be read again.
            self._kept = _Kept()
            raise
        return bool(changes.runs) or changes.acknowledged

    def _fits(self, key: PipelineKey, run: Row, filters: Filters) -> bool:
        tags = run["tags"] or {}
        return (
            filters.pipeline in (None, key.pipeline)
            and filters.env in (None, key.env)
            and (filters.since is None or run["ts"] >= filters.since)
            and all(tags.get(name) == value for name, value in filters.tags.items())
            and (filters.owner is None or filters.owner in self.owners(key))
        )

    def _fold(self, runs: Iterable[Row]) -> None:
        """Take new runs into what is kept; what a late one may have changed is read again."""
        arrived = by_pipeline(runs)
        if not arrived:
            return
        if self._kept.strips is None:  # nothing tells which are late
            self._kept = _Kept()
            return
        strips = self._kept.strips
        late = {key.pipeline for key, new in arrived.items() if _is_late(strips.get(key, ()), new)}
        if len(late) > LATE_PIPELINES:
            self._kept = _Kept()
            return
        for pipeline in late:
            self._kept.facts.pop(pipeline, None)
        self._fold_segments(arrived, late)
        if self._kept.counts is not None:
            for key, new in arrived.items():
                self._kept.counts[key] = self._kept.counts.get(key, 0) + len(new)
        for key, new in arrived.items():
            both = [*new, *strips.get(key, ())]
            strips[key] = sorted(both, key=order_of, reverse=True)[:STRIP_RUNS]
        self._fold_healthy(arrived)
        self._fold_rows(arrived, strips)

    def _fold_healthy(self, arrived: Mapping[PipelineKey, Sequence[Row]]) -> None:
        if self._kept.healthy is None:
            return
        for key, new in arrived.items():
            healthy = [run for run in new if run["status"] == "healthy" and is_evaluated(run)]
            known = [self._kept.healthy[key]] if key in self._kept.healthy else []
            if healthy:
                self._kept.healthy[key] = max([*healthy, *known], key=order_of)

    def _fold_segments(
        self, arrived: Mapping[PipelineKey, Sequence[Row]], late: Collection[str]
    ) -> None:
        if self._kept.segments is None:
            return
        in_order = [run for new in arrived.values() for run in new if run["pipeline"] not in late]
        contexts = self.store.rows_of("contexts", [run_key(run) for run in in_order])
        for key, found in segments_of(contexts).items():
            known = self._kept.segments.get(key, ())
            first, *more = found
            self._kept.segments[key] = [*joined_segments(known, first), *more]
        if late:
            self._kept.segments.update(self.store.segments(late))

    def _fold_rows(
        self,
        arrived: Mapping[PipelineKey, Sequence[Row]],
        strips: Mapping[PipelineKey, Sequence[Row]],
    ) -> None:
        for kept, place in ((self._kept.rows, 0), (self._kept.rows_before, 1)):
            for grain, rows in kept.items():
                at = {key: strips[key][place] for key in arrived if place < len(strips[key])}
                found = _by_key(self.store.rows_of(grain, [run_key(run) for run in at.values()]))
                rows.update({key: found.get(key, []) for key in at})


def _is_late(known: Sequence[Row], new: Sequence[Row]) -> bool:
    """Whether one of new runs did not take place after all that are known; both newest first."""
    return any(new[-1]["ts"] <= run["ts"] for run in known[:1])


def run_key(run: Row) -> RunKey:
    """Return what a run is known by."""
    return RunKey(run["pipeline"], run["run_id"])


def _by_key(rows: Iterable[Row]) -> dict[PipelineKey, list[Row]]:
    found: dict[PipelineKey, list[Row]] = defaultdict(list)
    for row in rows:
        found[PipelineKey(row["pipeline"], row["env"])].append(row)
    return found
