"""What the fleet should answer about runs, found by looking at each of them in plain Python."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from itertools import pairwise

from conformare.fleet.questions import (
    Drift,
    ExpectationState,
    Health,
    PipelineHealth,
    RunMark,
    State,
)
from support.fleet.history import History, Key, Row, in_order


def health_of(run: Row) -> Health:
    """Return how a run is; nobody knows where no expectation gave an answer."""
    if run["status"] == "failed":
        return "failed"
    if run["status"] == "degraded":
        return "degraded"
    return "healthy" if run["ge_evaluated"] > run["ge_errored"] else "unknown"


def owners_of(history: History, run: Row) -> tuple[str, ...]:
    """Return who owns something in a run."""
    return tuple(sorted({one["owner"] for one in history.of(run, "owners")}))


def overdue_after(times: list[datetime], max_age: timedelta | None) -> timedelta | None:
    """Return the age at which a newest run is too old: by the rhythm, or by the limit."""
    last = times[-30:]
    gaps = sorted(later - earlier for earlier, later in pairwise(last))
    limits = [] if max_age is None else [max_age]
    if len(gaps) >= 3:
        nine_of_ten = math.ceil(len(gaps) * 9 / 10)
        limits.append(max(2 * gaps[nine_of_ten - 1], timedelta(minutes=15)))
    return min(limits) if limits else None


def health(
    history: History, now: datetime, max_age: timedelta | None = None
) -> list[PipelineHealth]:
    """Return how every pipeline is."""
    timelines = history.timelines
    found = []
    for key in in_order(timelines):
        runs = timelines[key]
        newest = runs[-1]
        marks = [RunMark(run["run_id"], run["ts"], health_of(run)) for run in runs[-30:]]
        due = overdue_after([run["ts"] for run in runs], max_age)
        is_stale = due is not None and now - newest["ts"] > due
        state = marks[-1].health
        if is_stale and state in ("healthy", "unknown"):
            state = "stale"
        healthy = [run for run in runs if health_of(run) == "healthy"]
        found.append(
            PipelineHealth(
                pipeline=key[0],
                env=key[1],
                health=state,
                is_stale=is_stale,
                run_id=newest["run_id"],
                ts=newest["ts"],
                age=now - newest["ts"],
                due_after=due,
                streak=_streak(marks),
                is_flapping=_changes(marks[-10:]) >= 3,
                last_healthy_run=healthy[-1]["run_id"] if healthy else None,
                last_healthy_ts=healthy[-1]["ts"] if healthy else None,
                runs=len(runs),
                owners=owners_of(history, newest),
                tags=newest["tags"],
                strip=tuple(marks),
            )
        )
    urgency = ["failed", "degraded", "stale", "unknown", "healthy"]
    return sorted(found, key=lambda one: urgency.index(one.health))


def _streak(marks: list[RunMark]) -> int:
    length = 0
    for mark in reversed(marks):
        if mark.health != marks[-1].health:
            break
        length += 1
    return length


def _changes(marks: list[RunMark]) -> int:
    return sum(marks[n].health != marks[n - 1].health for n in range(1, len(marks)))


def drifts(history: History) -> list[Drift]:
    """Return every drift there ever was, newest first."""
    acknowledged = [
        (one["pipeline"], one["run_id"], one["context_label"])
        for one in history.tables.get("acknowledgements", [])
    ]
    found: list[Drift] = []
    for key, runs in history.timelines.items():
        found += _of_pipeline(history, key, runs, acknowledged)
    return sorted(
        found,
        key=lambda one: (
            one.to_ts,
            one.to_run,
            one.context_label,
            one.pipeline,
            one.env is not None,
            one.env or "",
        ),
        reverse=True,
    )


def _of_pipeline(
    history: History, key: Key, runs: list[Row], acknowledged: list[tuple[str, str, str]]
) -> list[Drift]:
    seen: dict[str, list[tuple[Row, list[Row]]]] = {}
    for run in runs:
        contexts = history.of(run, "contexts")
        for label in {one["context_label"] for one in contexts}:
            rows = [one for one in contexts if one["context_label"] == label]
            seen.setdefault(label, []).append((run, rows))
    found = []
    for label, line in seen.items():
        for place in range(1, len(line)):
            (before, old), (after, new) = line[place - 1], line[place]
            if _hashes(old, "impl_hash") == _hashes(new, "impl_hash"):
                continue
            if _hashes(old, "risk_hash") != _hashes(new, "risk_hash"):
                continue
            risks = _hashes(new, "risk_hash")
            changed_since = any(_hashes(rows, "risk_hash") != risks for _, rows in line[place:])
            owners = {
                one["owner"]
                for one in history.of(after, "owners")
                if one["scope"] == "context" and one["ref"] == label
            }
            found.append(
                Drift(
                    pipeline=key[0],
                    env=key[1],
                    context_label=label,
                    from_run=before["run_id"],
                    to_run=after["run_id"],
                    from_ts=before["ts"],
                    to_ts=after["ts"],
                    from_impl_hash=_hashes(old, "impl_hash"),
                    to_impl_hash=_hashes(new, "impl_hash"),
                    risk_hash=risks,
                    has_risks=any(one["has_risks"] for one in new),
                    risk_ids=tuple(sorted({risk for one in new for risk in one["risk_ids"]})),
                    git_sha=after["git_sha"],
                    owners=tuple(sorted(owners)),
                    is_open=not changed_since
                    and (key[0], after["run_id"], label) not in acknowledged,
                )
            )
    return found


def _hashes(contexts: list[Row], name: str) -> str:
    return "+".join(sorted({one[name] for one in contexts}))


def expectations(history: History, now: datetime) -> list[ExpectationState]:
    """Return how every expectation stands in the newest runs."""
    found = []
    timelines = history.timelines
    for key in in_order(timelines):
        runs = timelines[key]
        before = history.of(runs[-2], "expectations") if len(runs) > 1 else []
        recent = [
            check
            for run in runs
            if run["ts"] >= now - timedelta(days=30)
            for check in history.of(run, "expectations")
        ]
        for check in sorted(history.of(runs[-1], "expectations"), key=_by_name):
            asked = [one for one in recent if _asks(one) == _asks(check)]
            answered = [one for one in asked if one["success"] is not None]
            failed = [one for one in answered if not one["success"]]
            found.append(
                ExpectationState(
                    pipeline=key[0],
                    env=key[1],
                    run_id=runs[-1]["run_id"],
                    ts=runs[-1]["ts"],
                    node=check["node"],
                    expectation=check["expectation"],
                    column=check["column"],
                    state=_state(check, before),
                    hard=check["hard"],
                    severity=check["severity"],
                    observed=check["observed"],
                    error=check["error"],
                    asked=len(asked),
                    failure_rate=len(failed) / len(answered) if answered else None,
                    errored=len(asked) - len(answered),
                    owners=owners_of(history, runs[-1]),
                )
            )
    urgency = ["newly failing", "failing", "errored", "holding"]
    return sorted(found, key=lambda one: urgency.index(one.state))


def _by_name(check: Row) -> tuple[str, str, bool, str]:
    column = check["column"]
    return check["node"], check["expectation"], column is not None, column or ""


def _asks(check: Row) -> tuple[str, str | None]:
    return check["expectation"], check["column"]


def _state(check: Row, before: list[Row]) -> State:
    if check["success"] is None:
        return "errored"
    if check["success"]:
        return "holding"
    failed_before = any(
        one["success"] is False and one["node"] == check["node"] and _asks(one) == _asks(check)
        for one in before
    )
    return "failing" if failed_before else "newly failing"
