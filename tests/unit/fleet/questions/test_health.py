"""Health, with the answer beside each small fleet."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from support.fleet.small import fleet_of, owner, recorded

from conformare.fleet import Filters, Fleet
from conformare.fleet.questions import PipelineHealth, health

FEBRUARY = "2026-02-{:02}T06:00:00Z"
STATUSES = {"H": "healthy", "D": "degraded", "F": "failed"}


def days(healths: str, **columns: Any) -> list[dict[str, Any]]:
    """A run a day from the first of February on: H, D, F, or U where nothing was evaluated."""
    return [
        recorded(
            "orders",
            f"r-{day}",
            FEBRUARY.format(day),
            run={
                "env": "prod",
                "status": STATUSES.get(letter, "healthy"),
                "ge_evaluated": 0 if letter == "U" else 1,
                **columns,
            },
        )
        for day, letter in enumerate(healths, 1)
    ]


def only(fleet: Fleet) -> PipelineHealth:
    """How the one pipeline of a fleet is."""
    (found,) = health(fleet)
    return found


@pytest.mark.parametrize(
    ("healths", "now", "expected"),
    [
        ("H", "2026-02-01T07:00Z", "healthy"),
        ("D", "2026-02-01T07:00Z", "degraded"),
        ("F", "2026-02-01T07:00Z", "failed"),
        ("U", "2026-02-01T07:00Z", "unknown"),
        ("FH", "2026-02-02T07:00Z", "healthy"),
        # Twice the usual gap: until the sixth at six in the morning.
        ("HHHH", "2026-02-06T06:00Z", "healthy"),
        ("HHHH", "2026-02-06T06:01Z", "stale"),
        ("UUUU", "2026-02-06T06:01Z", "stale"),
        ("HHHF", "2026-02-06T06:01Z", "failed"),
        ("HHHD", "2026-02-06T06:01Z", "degraded"),
        # Three runs are no rhythm.
        ("HHH", "2027-02-06T06:01Z", "healthy"),
    ],
)
def test_the_newest_run_and_its_age_say_how_a_pipeline_is(
    healths: str, now: str, expected: str
) -> None:
    """Stale is said only where nothing worse is."""
    found = only(fleet_of(*days(healths), now=now))
    assert found.health == expected
    assert found.run_id == f"r-{len(healths)}"
    assert found.is_stale == (now.endswith("06:01Z") and len(healths) > 3)


def test_checks_that_all_errored_are_no_answer() -> None:
    """Whatever the run says of itself."""
    assert only(fleet_of(*days("H", ge_evaluated=2, ge_errored=2))).health == "unknown"
    assert only(fleet_of(*days("H", ge_evaluated=2, ge_errored=1))).health == "healthy"


@pytest.mark.parametrize(
    ("healths", "streak", "flaps", "last_healthy"),
    [
        ("H", 1, False, "r-1"),
        ("FFHHH", 3, False, "r-5"),
        ("HHFF", 2, False, "r-2"),
        ("HFHF", 1, True, "r-3"),
        ("HFFHHF", 1, True, "r-5"),
        ("HFFHHH", 3, False, "r-6"),
        # Only the last ten runs tell whether it flaps.
        ("HFHFHHHHHHHHH", 9, False, "r-13"),
        ("FF", 2, False, None),
        # Nobody knows how an unknown one was: it is not the last healthy one.
        ("HUU", 2, False, "r-1"),
        ("UU", 2, False, None),
        ("HFUH", 1, True, "r-4"),
    ],
)
def test_streak_flapping_and_last_healthy_run(
    healths: str, streak: int, flaps: bool, last_healthy: str | None
) -> None:
    """By the letters of the strip, oldest first."""
    found = only(fleet_of(*days(healths)))
    assert "".join(mark.health[0].upper() for mark in found.strip) == healths
    assert (found.streak, found.is_flapping, found.last_healthy_run) == (
        streak,
        flaps,
        last_healthy,
    )
    day = last_healthy and int(last_healthy.removeprefix("r-"))
    assert found.last_healthy_ts == (
        datetime(2026, 2, day, 6, tzinfo=timezone.utc) if day else None
    )


def test_a_late_run_takes_its_place_by_its_time() -> None:
    """It is not the newest, and it ends no streak."""
    first, second, third = days("FHH")
    found = only(fleet_of(third, second, first))
    assert found.run_id == "r-3"
    assert (found.health, found.streak) == ("healthy", 2)
    assert [mark.run_id for mark in found.strip] == ["r-1", "r-2", "r-3"]


def test_of_two_runs_of_one_time_the_run_id_says_which_is_newer() -> None:
    """Whichever came first."""
    ts = FEBRUARY.format(1)
    a, b = (
        recorded("orders", run_id, ts, run={"status": status})
        for run_id, status in (("a", "failed"), ("b", "healthy"))
    )
    assert only(fleet_of(a, b)).run_id == only(fleet_of(b, a)).run_id == "b"


def test_every_environment_is_a_pipeline_of_its_own() -> None:
    """None and an empty one as well; what is worst comes first."""
    fleet = fleet_of(
        *(
            recorded("orders", f"r-{n}", FEBRUARY.format(n), run={"env": env, "status": status})
            for n, (env, status) in enumerate(
                [("prod", "healthy"), ("dev", "failed"), (None, "degraded"), ("", "healthy")], 1
            )
        )
    )
    found = health(fleet)
    assert [(one.env, one.health, one.runs) for one in found] == [
        ("dev", "failed", 1),
        (None, "degraded", 1),
        ("", "healthy", 1),
        ("prod", "healthy", 1),
    ]
    assert [one.health for one in health(fleet, Filters(env="dev"))] == ["failed"]


@pytest.mark.parametrize(
    ("gaps_in_hours", "due_after"),
    [
        ((24, 24, 24), 48),
        # A pipeline of working days: its weekend is usual.
        ((24, 24, 24, 24, 72, 24, 24, 24, 24, 72), 144),
        # One outage of ten gaps is not.
        ((24, 24, 24, 24, 24, 24, 24, 24, 24, 500), 48),
        ((24, 24), None),
    ],
)
def test_a_pipeline_has_the_rhythm_that_nine_of_ten_gaps_keep(
    gaps_in_hours: tuple[int, ...], due_after: int | None
) -> None:
    """Twice the usual gap."""
    time = datetime(2026, 1, 1, tzinfo=timezone.utc)
    records = [recorded("orders", "r-0", time.isoformat())]
    for number, hours in enumerate(gaps_in_hours, 1):
        time += timedelta(hours=hours)
        records.append(recorded("orders", f"r-{number}", time.isoformat()))
    expected = None if due_after is None else timedelta(hours=due_after)
    assert only(fleet_of(*records)).due_after == expected


def test_a_limit_makes_stale_what_its_rhythm_would_not() -> None:
    """And a quarter of an hour is never too old by a rhythm."""
    minutes = [
        recorded("orders", f"r-{n}", f"2026-02-01T06:0{n}:00Z", run={"env": "prod"})
        for n in range(5)
    ]
    patient = only(fleet_of(*minutes, now="2026-02-01T06:19Z"))
    assert (patient.health, patient.due_after) == ("healthy", timedelta(minutes=15))
    limited = Fleet(
        fleet_of(*minutes).store,
        now=datetime(2026, 2, 1, 6, 15, tzinfo=timezone.utc),
        max_age=timedelta(minutes=10),
    )
    found = only(limited)
    assert (found.health, found.age, found.due_after) == (
        "stale",
        timedelta(minutes=11),
        timedelta(minutes=10),
    )


def test_filters_look_at_the_newest_run() -> None:
    """Owner, tag and time of an older one do not count."""
    ana, bob = [owner("ana", "clean")], [owner("bob", "clean")]
    fleet = fleet_of(
        recorded("orders", "o-1", FEBRUARY.format(1), run={"tags": {"tier": "2"}}, owners=ana),
        recorded("orders", "o-2", FEBRUARY.format(2), run={"tags": {"tier": "1"}}, owners=bob),
        recorded("bills", "b-1", FEBRUARY.format(1), run={"tags": {"tier": "1"}}, owners=ana),
    )

    def names(**filters: Any) -> list[str]:
        return [one.pipeline for one in health(fleet, Filters(**filters))]

    assert names() == ["bills", "orders"]
    assert names(owner="ana") == ["bills"]
    assert names(owner="bob", tags={"tier": "1"}) == ["orders"]
    assert names(tags={"tier": "2"}) == []
    assert names(since=datetime(2026, 2, 2, tzinfo=timezone.utc)) == ["orders"]
    assert names(pipeline="order") == []
