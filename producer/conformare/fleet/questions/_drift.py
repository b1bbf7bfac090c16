"""Drift: a context's code changed while the risks that it declares did not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from conformare._errors import FleetError
from conformare.fleet._fleet import EVERYTHING, Filters, Fleet
from conformare.fleet.stores import ContextKey, Row, RunKey, Segment


@dataclass(frozen=True)
class Drift:
    """A change of a context's code between two consecutive runs that left its risks as they were.

    Attributes:
        to_run: The run that has the changed code.
        git_sha: Commit of that run.
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
    found = [
        (key, before, after, is_open)
        for key, segments in fleet.segments().items()
        if (key.pipeline, key.env) in chosen
        for before, after, is_open in _changes(fleet, key, segments)
        if (is_open or not open_only) and (filters.since is None or after.first_ts >= filters.since)
    ]
    return sorted(
        _with_details(fleet, found),
        key=lambda one: (one.to_ts, one.to_run, one.context_label),
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
        by: Who has looked at it.
        note: What they found.
        pipeline: Whose run it is, where several have a run of that id.

    Raises:
        FleetError: There is no such run, or no such drift in it.
    """
    if not by.strip():
        raise FleetError("an acknowledgement wants a name: say who has looked at the drift")
    runs = [run for run in fleet.store.found(run_id) if pipeline in (None, run["pipeline"])]
    if not runs:
        raise FleetError(f"{fleet.store.place} has no run {run_id!r}: correct the run_id")
    names = sorted({run["pipeline"] for run in runs})
    if len(names) > 1:
        raise FleetError(
            f"{len(names)} pipelines have a run {run_id!r}: name one of them, {', '.join(names)}"
        )
    run = runs[0]
    key = ContextKey(run["pipeline"], run["env"], context_label)
    changed = [
        after
        for _, after, _ in _changes(fleet, key, fleet.segments().get(key, ()))
        if after.first_run == run_id
    ]
    if not changed:
        raise FleetError(
            f"run {run_id!r} of {run['pipeline']} has no drift in the context {context_label!r}: "
            "`conformare fleet drift` lists those that are open"
        )
    return {
        "run_id": run_id,
        "pipeline": run["pipeline"],
        "ts": run["ts"],
        "context_label": context_label,
        "impl_hash": changed[0].impl_hash,
        "risk_hash": changed[0].risk_hash,
        "acknowledged_by": by,
        "acknowledged_at": fleet.now,
        "note": note,
    }


_Change = tuple[ContextKey, Segment, Segment, bool]


def _changes(
    fleet: Fleet, key: ContextKey, segments: Sequence[Segment]
) -> Iterable[tuple[Segment, Segment, bool]]:
    """Yield the drifts of a context: what was before, what is after, and whether it is open."""
    newest = segments[-1].risk_hash if segments else ""
    # Risks that change and change back have been looked at: so it counts whether they ever did.
    unchanged_from = next(
        (n + 1 for n in range(len(segments) - 1, -1, -1) if segments[n].risk_hash != newest), 0
    )
    for number, (before, after) in enumerate(pairwise(segments), 1):
        if before.impl_hash != after.impl_hash and before.risk_hash == after.risk_hash:
            named = (key.pipeline, after.first_run, key.label)
            yield before, after, number >= unchanged_from and named not in fleet.acknowledged()


def _with_details(fleet: Fleet, changes: Sequence[_Change]) -> list[Drift]:
    runs = {RunKey(key.pipeline, after.first_run) for key, _, after, _ in changes}
    contexts: dict[tuple[RunKey, str], list[Row]] = {}
    for row in fleet.store.rows_of("contexts", runs):
        place = RunKey(row["pipeline"], row["run_id"]), row["context_label"]
        contexts.setdefault(place, []).append(row)
    owners: dict[tuple[RunKey, str], set[str]] = {}
    for row in fleet.store.rows_of("owners", runs):
        if row["scope"] == "context":
            place = RunKey(row["pipeline"], row["run_id"]), row["ref"]
            owners.setdefault(place, set()).add(row["owner"])
    commits = {
        RunKey(row["pipeline"], row["run_id"]): row["git_sha"]
        for row in fleet.store.rows_of("runs", runs)
    }
    return [
        Drift(
            pipeline=key.pipeline,
            env=key.env,
            context_label=key.label,
            from_run=before.last_run,
            to_run=after.first_run,
            from_ts=before.last_ts,
            to_ts=after.first_ts,
            from_impl_hash=before.impl_hash,
            to_impl_hash=after.impl_hash,
            risk_hash=after.risk_hash,
            has_risks=any(row["has_risks"] for row in contexts.get((run, key.label), ())),
            risk_ids=tuple(
                sorted(
                    {
                        risk
                        for row in contexts.get((run, key.label), ())
                        for risk in row["risk_ids"] or ()
                    }
                )
            ),
            git_sha=commits.get(run),
            owners=tuple(sorted(owners.get((run, key.label), ()))),
            is_open=is_open,
        )
        for key, before, after, is_open in changes
        for run in [RunKey(key.pipeline, after.first_run)]
    ]
