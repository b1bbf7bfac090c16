"""Expectations, with the answer beside each small fleet."""

from __future__ import annotations

from typing import Any

import pytest
from support.fleet.small import check, fleet_of, owner, recorded

from conformare.fleet import Fleet
from conformare.fleet.questions import ExpectationState, expectations, state_by_run

NOW = "2026-03-01"


def run(day: str, *checks: dict[str, Any], pipeline: str = "orders", env: str = "prod") -> Any:
    """A run with some checks."""
    run_id = f"{pipeline}-{day}-{env}"
    owners = [owner("ana", "clean")]
    return recorded(
        pipeline, run_id, day, run={"env": env}, expectations=list(checks), owners=owners
    )


def fleet(*successes: bool | None) -> Fleet:
    """One check a day, up to the last of February."""
    return fleet_of(
        *(
            run(f"2026-02-{28 - number}", check("not_null", "id", success=success))
            for number, success in enumerate(reversed(successes))
        ),
        now=NOW,
    )


@pytest.mark.parametrize(
    ("successes", "state", "rate", "errored"),
    [
        ([True], "holding", 0.0, 0),
        ([False], "newly failing", 1.0, 0),
        ([True, False], "newly failing", 0.5, 0),
        ([False, False], "failing", 1.0, 0),
        ([False, True], "holding", 0.5, 0),
        ([False, True, False], "newly failing", 2 / 3, 0),
        # What could not be evaluated did not fail, and does not count in the rate.
        ([False, None, False], "newly failing", 1.0, 1),
        ([True, None], "errored", 0.0, 1),
        # Never evaluated: there is no rate.
        ([None, None], "errored", None, 2),
    ],
)
def test_the_last_two_runs_say_how_an_expectation_stands(
    successes: list[bool | None], state: str, rate: float | None, errored: int
) -> None:
    """And the last thirty days how often it fails."""
    (found,) = expectations(fleet(*successes))
    assert (found.state, found.failure_rate, found.errored) == (state, rate, errored)
    assert found.asked == len(successes)


def test_an_expectation_is_told_with_what_was_observed() -> None:
    """And by whom it is owned."""
    failing = check("not_null", "id", success=False, hard=True, observed="7")
    (found,) = expectations(fleet_of(run("2026-02-28", failing), now=NOW))
    assert found == ExpectationState(
        pipeline="orders",
        env="prod",
        run_id="orders-2026-02-28-prod",
        ts=found.ts,
        node="orders",
        expectation="not_null",
        column="id",
        state="newly failing",
        hard=True,
        severity="critical",
        observed="7",
        error=None,
        asked=1,
        failure_rate=1.0,
        errored=0,
        owners=("ana",),
    )


def test_a_rate_is_of_thirty_days_and_of_one_environment() -> None:
    """Of one column, on any frame; a late run counts at its time."""
    fleet = fleet_of(
        run(
            "2026-02-28",
            check("not_null", "id", success=True),
            check("not_null", "x", success=False),
        ),
        run("2026-01-30", check("not_null", "id", success=False, node="elsewhere")),
        run("2026-01-29", check("not_null", "id", success=False)),  # 31 days ago
        run("2026-02-27", check("not_null", "id", success=False), env="dev"),
        now=NOW,
    )
    rates = {(one.env, one.column): (one.asked, one.failure_rate) for one in expectations(fleet)}
    assert rates == {
        ("prod", "id"): (2, 0.5),
        ("prod", "x"): (1, 1.0),
        ("dev", "id"): (1, 1.0),
    }


def test_what_fails_comes_first() -> None:
    """Newly failing, failing, errored, holding; then by pipeline, frame, name and column."""
    before = run("2026-02-27", check("b", "id", success=False), check("c", "id", success=True))
    now = run(
        "2026-02-28",
        check("a", "id", success=True),
        check("b", "id", success=False),
        check("c", "id", success=False),
        check("d", "id", success=None, error="no such column"),
    )
    other = run("2026-02-28", check("e", "id", success=False), pipeline="bills")
    found = expectations(fleet_of(now, other, before, now=NOW))
    assert [(one.state, one.pipeline, one.expectation) for one in found] == [
        ("newly failing", "bills", "e"),
        ("newly failing", "orders", "c"),
        ("failing", "orders", "b"),
        ("errored", "orders", "d"),
        ("holding", "orders", "a"),
    ]
    assert found[3].error == "no such column"


def test_a_newest_run_without_checks_has_no_expectation() -> None:
    """An older one's are not told as if they were of now."""
    fleet = fleet_of(run("2026-02-27", check("a", "id", success=False)), run("2026-02-28"), now=NOW)
    assert expectations(fleet) == []


def test_of_several_of_one_kind_in_a_run_the_worst_counts() -> None:
    """For the heat map."""
    rows = [
        {**check("a", "id", success=success), "run_id": run_id}
        for run_id, success in (("1", True), ("1", False), ("2", None), ("2", True), ("3", True))
    ]
    assert state_by_run(rows) == {
        ("orders", "a", "id"): {"1": "failing", "2": "errored", "3": "holding"}
    }
