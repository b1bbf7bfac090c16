"""Drift: a context's code changed while the risks that it declares did not."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise
from typing import NamedTuple

from conformare._errors import FleetError
from conformare.fleet._fleet import EVERYTHING, Filters, Fleet
from conformare.fleet.questions._found import found_run
from conformare.fleet.stores import (
    ContextKey,
    PipelineKey,
    Row,
    RunKey,
    Segment,
    fingerprints,
    pipeline_order,
)


@dataclass(frozen=True)
class Drift:
    """A change of a context's code between two consecutive runs that left its risks as they were.

    Attributes:
        to_run: The run that has the changed code.
        from_impl_hash: Of several contexts of that label in a run, all, joined with `+`.
        git_sha: Commit of the run that has the changed code.
        owners: Who owns the context in that run.
        is_open: Whether its risks have not changed since, and nobody has acknowledged it.
    """

    pipeline: str
    env: str | None
    context_label: str
    from_run: str
    to_run: str
    from_ts: datetime
    to_ts: datetime
    from_impl_hash: str
    to_impl_hash: str
    risk_hash: str
    has_risks: bool
    risk_ids: tuple[str, ...]
    git_sha: str | None
    owners: tuple[str, ...]
    is_open: bool


def drift(fleet: Fleet, filters: Filters = EVERYTHING, *, open_only: bool = True) -> list[Drift]:
    """Return the drifts of the chosen pipelines, newest first.

    Args:
        fleet: The fleet.
        filters: Which pipelines; `since` also leaves out earlier drifts.
        open_only: Not those that are settled.
    """
    chosen = set(fleet.chosen(filters))
    changes = [
        change
        for key, segments in fleet.segments().items()
        if PipelineKey(key.pipeline, key.env) in chosen
        for change in _changes(key, segments)
        if (change.has_same_risks_since or not open_only)
        and (filters.since is None or change.after.first_ts >= filters.since)
    ]
    found = _told(fleet, changes)
    return sorted(
        (one for one in found if one.is_open or not open_only),
        key=lambda one: (
            one.to_ts,
            one.to_run,
            one.context_label,
            pipeline_order(PipelineKey(one.pipeline, one.env)),
        ),
        reverse=True,
    )


def acknowledged_row(
    fleet: Fleet,
    run_id: str,
    context_label: str,
    *,
    by: str,
    note: str,
    pipeline: str | None = None,
) -> Row:
    """Return what an acknowledgement of a drift adds to the table `acknowledgements`.

    Args:
        fleet: The fleet.
        run_id: The run that has the changed code.
        context_label: The context.
        by: Who has reviewed the drift.
        note: What they found.
        pipeline: Whose run it is, where several pipelines have a run of that id.

    Raises:
        FleetError: There is no such run, or no such drift in it.
    """
    if not by.strip():
        raise FleetError("an acknowledgement needs a name: say who reviewed the drift")
    run = found_run(fleet, run_id, pipeline)
    key = ContextKey(run["pipeline"], run["env"], context_label)
    changes = [
        change
        for change in _changes(key, fleet.segments().get(key, ()))
        if change.after.first_ts == run["ts"] and change.after.first_run in (None, run_id)
    ]
    found = [one for one in _told(fleet, changes) if one.to_run == run_id]
    if not found:
        raise FleetError(
            f"run {run_id!r} of {run['pipeline']} has no drift in the context {context_label!r}: "
            "`conformare fleet drift` lists those that are open"
        )
    return {
        "run_id": run_id,
        "pipeline": run["pipeline"],
        "ts": run["ts"],
        "context_label": context_label,
        "impl_hash": found[0].to_impl_hash,
        "risk_hash": found[0].risk_hash,
        "acknowledged_by": by,
        "acknowledged_at": fleet.now,
        "note": note,
    }


class _Change(NamedTuple):
    key: ContextKey
    before: Segment
    after: Segment
    has_same_risks_since: bool

    @property
    def times(self) -> tuple[datetime, datetime]:
        """When the run before took place, and the one that has the changed code."""
        return self.before.last_ts, self.after.first_ts

    @property
    def ends(self) -> Hashable:
        """What the drift is known by: between its two ends, no run can come but a late one."""
        return self.key, *self.times, self.before.last_run, self.after.first_run


def _changes(key: ContextKey, segments: Sequence[Segment]) -> Iterator[_Change]:
    newest = segments[-1].risk_hash if segments else ""
    # Risks that change and change back have been looked at.
    unchanged_from = next(
        (n + 1 for n in range(len(segments) - 1, -1, -1) if segments[n].risk_hash != newest), 0
    )
    for number, (before, after) in enumerate(pairwise(segments), 1):
        if before.impl_hash != after.impl_hash and before.risk_hash == after.risk_hash:
            yield _Change(key, before, after, number >= unchanged_from)


def _told(fleet: Fleet, changes: Sequence[_Change]) -> list[Drift]:
    """Return drifts with what their runs say; what is known of one is not read again."""
    unknown = [one for one in changes if one.ends not in fleet.facts(one.key.pipeline)]
    for change, one in _read(fleet, unknown):
        fleet.facts(change.key.pipeline)[change.ends] = one
    found = []
    for change in changes:
        one = fleet.facts(change.key.pipeline)[change.ends]
        is_acknowledged = (one.pipeline, one.to_run, one.context_label) in fleet.acknowledged()
        is_open = change.has_same_risks_since and not is_acknowledged
        found.append(replace(one, is_open=is_open))
    return found


def _read(fleet: Fleet, changes: Sequence[_Change]) -> Iterator[tuple[_Change, Drift]]:
    times = {(one.key.pipeline, ts) for one in changes for ts in one.times}
    keys = {one.key for one in changes}
    ends = _Ends(keys, fleet.store.contexts_at(times))
    # Changes of runs that have one `ts` may be equal but for the runs.
    to_runs = [(one, ends.to_run(one)) for one in changes]
    runs = {RunKey(one.key.pipeline, run_id) for one, run_id in to_runs}
    owners: dict[tuple[str, str, str], set[str]] = defaultdict(set)
    for row in fleet.store.rows_of("owners", runs):
        if row["scope"] == "context":
            owners[row["pipeline"], row["run_id"], row["ref"]].add(row["owner"])
    commits = {
        (row["pipeline"], row["run_id"]): row["git_sha"]
        for row in fleet.store.rows_of("runs", runs)
    }
    for one, to_run in to_runs:
        contexts = ends.contexts(one.key, to_run)
        yield (
            one,
            Drift(
                pipeline=one.key.pipeline,
                env=one.key.env,
                context_label=one.key.label,
                from_run=ends.from_run(one),
                to_run=to_run,
                from_ts=one.times[0],
                to_ts=one.times[1],
                from_impl_hash=one.before.impl_hash,
                to_impl_hash=one.after.impl_hash,
                risk_hash=one.after.risk_hash,
                has_risks=any(row["has_risks"] for row in contexts),
                risk_ids=tuple(sorted({r for row in contexts for r in row["risk_ids"] or ()})),
                git_sha=commits.get((one.key.pipeline, to_run)),
                owners=tuple(sorted(owners[one.key.pipeline, to_run, one.key.label])),
                is_open=True,
            ),
        )


class _Ends:
    """The runs at the ends of segments.

    Args:
        keys: The contexts that segments are of.
        contexts: Rows of `contexts` of all runs at the times of the ends.
    """

    def __init__(self, keys: Collection[ContextKey], contexts: Iterable[Row]) -> None:
        self._at: dict[tuple[ContextKey, datetime], dict[str, list[Row]]] = defaultdict(
            lambda: defaultdict(list)
        )
        self._of_run: Mapping[tuple[ContextKey, str], list[Row]] = defaultdict(list)
        for row in contexts:
            key = ContextKey(row["pipeline"], row["env"], row["context_label"])
            if key not in keys:
                continue
            self._at[key, row["ts"]][row["run_id"]].append(row)
            self._of_run[key, row["run_id"]].append(row)

    def from_run(self, change: _Change) -> str:
        """Return the run before a change."""
        known = change.before.last_run
        return (
            max(self._alike(change.key, change.before, change.times[0])) if known is None else known
        )

    def to_run(self, change: _Change) -> str:
        """Return the run that has the changed code."""
        known = change.after.first_run
        return (
            min(self._alike(change.key, change.after, change.times[1])) if known is None else known
        )

    def contexts(self, key: ContextKey, run_id: str) -> list[Row]:
        """Return the contexts of one label in a run."""
        return self._of_run[key, run_id]

    def _alike(self, key: ContextKey, segment: Segment, ts: datetime) -> Iterator[str]:
        """Yield the runs at a time with the fingerprints of a segment."""
        expected = (segment.impl_hash, segment.risk_hash)
        runs = self._at[key, ts].items()
        return (run_id for run_id, rows in runs if fingerprints(rows) == expected)
