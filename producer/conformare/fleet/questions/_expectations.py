"""Expectations: which fail now, which began to, which nobody could evaluate, and how often."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from conformare.fleet._fleet import EVERYTHING, Filters, Fleet
from conformare.fleet.stores import Row

State = Literal["newly failing", "failing", "errored", "holding"]
STATES: tuple[State, ...] = ("newly failing", "failing", "errored", "holding")
"""Every state of an expectation, the most urgent first."""

RATE_DAYS = 30
"""Failure rates are those of so many days."""


@dataclass(frozen=True)
class ExpectationState:
    """How an expectation stands in a pipeline's newest run.

    Attributes:
        state: newly failing where it did not fail in the run before; errored where it could not
            be evaluated.
        asked: How often it was asked in the last 30 days, of this column on any frame.
        failure_rate: Of those that gave an answer in that time, the share that did not hold; None
            where none did.
        errored: How often it could not be evaluated in that time.
    """

    pipeline: str
    env: str | None
    run_id: str
    ts: datetime
    node: str
    expectation: str
    column: str | None
    state: State
    hard: bool
    severity: str
    observed: str | None
    error: str | None
    asked: int
    failure_rate: float | None
    errored: int
    owners: tuple[str, ...]


def expectations(fleet: Fleet, filters: Filters = EVERYTHING) -> list[ExpectationState]:
    """Return how every expectation stands in the newest runs, those that fail first.

    Pipelines without any are `unknown` in `health`.

    Args:
        fleet: The fleet.
        filters: Which pipelines.
    """
    since = fleet.now - timedelta(days=RATE_DAYS)
    counts = {
        (count.pipeline, count.env, count.expectation, count.column): count
        for count in fleet.store.expectation_counts(since)
    }
    found = []
    for key in fleet.chosen(filters):
        before = _failing(fleet.rows_before("expectations").get(key, ()))
        for row in sorted(fleet.rows("expectations").get(key, ()), key=_by_name):
            count = counts.get((*key, row["expectation"], row["column"]))
            answered = count.asked - count.errored if count else 0
            found.append(
                ExpectationState(
                    pipeline=key.pipeline,
                    env=key.env,
                    run_id=row["run_id"],
                    ts=row["ts"],
                    node=row["node"],
                    expectation=row["expectation"],
                    column=row["column"],
                    state=_state(row, before),
                    hard=bool(row["hard"]),
                    severity=row["severity"],
                    observed=row["observed"],
                    error=row["error"],
                    asked=count.asked if count else 0,
                    failure_rate=count.failed / answered if count and answered else None,
                    errored=count.errored if count else 0,
                    owners=tuple(fleet.owners(key)),
                )
            )
    return sorted(found, key=lambda one: STATES.index(one.state))


def _by_name(row: Row) -> tuple[str, str, bool, str, str]:
    node, expectation, column = _identity(row)
    return node, expectation, column is not None, column or "", row["observed"] or ""


def state_by_run(rows: Iterable[Row]) -> dict[tuple[str, str, str | None], dict[str, State]]:
    """Return how each expectation stood in some runs: for each, run_id → state.

    Args:
        rows: Rows of `expectations`; of several of one kind in a run, the worst counts.
    """
    found: dict[tuple[str, str, str | None], dict[str, State]] = defaultdict(dict)
    for row in rows:
        states, state = found[_identity(row)], _state(row, None)
        known = states.get(row["run_id"], state)
        states[row["run_id"]] = min(known, state, key=STATES.index)
    return dict(found)


def _identity(row: Row) -> tuple[str, str, str | None]:
    return row["node"], row["expectation"], row["column"]


def _failing(rows: Iterable[Row]) -> set[tuple[str, str, str | None]]:
    return {_identity(row) for row in rows if row["success"] is False}


def _state(row: Row, before: set[tuple[str, str, str | None]] | None) -> State:
    if row["success"] is None:
        return "errored"
    if row["success"]:
        return "holding"
    return "failing" if before is None or _identity(row) in before else "newly failing"
