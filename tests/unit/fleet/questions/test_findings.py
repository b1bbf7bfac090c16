"""What needs attention, with the answer beside each small fleet."""

from __future__ import annotations

from typing import Any

import pytest
from support.fleet.small import check, context, fleet_of, owner, recorded, risk

from conformare.fleet import Filters, Fleet
from conformare.fleet.questions import DEFAULT_KINDS, KINDS, Kind, acknowledged_row, findings


def run(day: int, pipeline: str = "orders", env: str | None = "prod", **columns: Any) -> Any:
    """A run of February."""
    grains = {name: columns.pop(name) for name in list(columns) if isinstance(columns[name], list)}
    run_id = f"{pipeline}-{day}"
    return recorded(pipeline, run_id, f"2026-02-{day:02}", run={"env": env, **columns}, **grains)


def told(fleet: Fleet, kinds: tuple[Kind, ...] = KINDS) -> list[tuple[str, str, str]]:
    """Kind, pipeline and text of what is found."""
    return [(one.kind, one.pipeline, one.text) for one in findings(fleet, kinds=kinds)]


def test_a_fleet_that_is_well_needs_nobody() -> None:
    """Nor does one in which nothing runs."""
    assert findings(fleet_of(run(1))) == []
    assert findings(fleet_of()) == []


@pytest.mark.parametrize(
    ("grains", "why"),
    [
        ({}, ""),
        ({"expectations": [check("a", "x", success=False)]}, ": a(x) does not hold"),
        ({"expectations": [check("a", "x", success=None)]}, ": a(x) could not be evaluated"),
        ({"expectations": [check("a", "x", success=True)]}, ""),
        ({"risks": [risk("pii", "low")]}, ": pii is not mitigated"),
        ({"risks": [risk("pii", "low", mitigated=True)]}, ""),
        (
            {"risks": [risk(name, "low") for name in "edcba"]},
            ": a, b, c and 2 more is not mitigated",
        ),
        (
            {
                "expectations": [check("a", "x", success=False), check("b", "x", success=None)],
                "risks": [risk("pii", "low")],
            },
            ": a(x) does not hold; b(x) could not be evaluated; pii is not mitigated",
        ),
    ],
)
def test_a_degraded_run_says_why(grains: dict[str, Any], why: str) -> None:
    """By name, and shortly."""
    fleet = fleet_of(run(1, status="degraded", **grains), now="2026-02-02")
    assert told(fleet) == [("degraded", "orders", f"its newest run is degraded{why}")]


def test_a_finding_names_its_owners_its_run_and_since_when() -> None:
    """The first run of the streak, not the newest."""
    ana = [owner("ana", "clean"), owner("bob", "pii", "risk")]
    (found,) = findings(
        fleet_of(
            run(1), run(2, status="failed"), run(3, status="failed", owners=ana), now="2026-02-04"
        )
    )
    assert (found.kind, found.run_id, found.owners) == ("failed", "orders-3", ("ana", "bob"))
    assert found.since.day == 2


def test_a_pipeline_that_failed_and_is_too_old_needs_a_person_for_both() -> None:
    """And so does one that is unknown and too old, whichever of the two is asked for."""
    days = [run(day, status="failed") for day in (1, 2, 3, 4)]
    stale = ("stale", "orders", "its newest run is 10 d old, more than 2 d")
    assert told(fleet_of(*days, now="2026-02-14")) == [
        ("failed", "orders", "its newest run failed"),
        stale,
    ]
    unknown = fleet_of(*(run(day, ge_evaluated=0) for day in (1, 2, 3, 4)), now="2026-02-14")
    nothing = ("unknown", "orders", "nothing in its newest run was evaluated")
    assert told(unknown) == [stale, nothing]
    assert told(unknown, ("unknown",)) == [nothing]
    assert told(unknown, DEFAULT_KINDS) == [stale]


def test_a_drift_needs_those_who_own_the_context_until_it_is_settled() -> None:
    """Or those who own anything of the pipeline, where nobody owns it."""
    first = run(1, contexts=[context("clean", "I"), context("join", "I")])
    owners = [owner("ana", "clean"), owner("bob", "other")]
    second = run(2, contexts=[context("clean", "J"), context("join", "J")], owners=owners)
    fleet = fleet_of(first, second)
    found = {one.subject: one for one in findings(fleet)}
    assert {label: one.owners for label, one in found.items()} == {
        "clean": ("ana",),
        "join": ("ana", "bob"),
    }
    assert found["clean"].text == (
        "the code of clean changed, its risks did not: review them, or acknowledge it"
    )
    row = acknowledged_row(fleet, "orders-2", "clean", by="cid", note="fine")
    assert (row["impl_hash"], row["acknowledged_by"]) == ("J", "cid")
    reviewed = run(3, contexts=[context("clean", "J", "risks-2"), context("join", "J")])
    assert [one.subject for one in findings(fleet_of(first, second, reviewed))] == ["join"]


def test_a_critical_risk_that_nobody_owns_needs_somebody() -> None:
    """Mitigated or not; less severe ones do not, nor those of older runs."""
    fleet = fleet_of(
        run(1, risks=[risk("gone")]),
        run(
            2,
            risks=[
                risk("open"),
                risk("mitigated", mitigated=True),
                risk("owned", owned=True, owners=["ana"]),
                risk("high", "high"),
            ],
        ),
        now="2026-02-03",
    )
    assert [(one.kind, one.subject, one.owners) for one in findings(fleet)] == [
        ("unowned-critical", "mitigated", ()),
        ("unowned-critical", "open", ()),
    ]


def test_the_most_urgent_kind_comes_first() -> None:
    """Whichever pipeline has it."""
    fleet = fleet_of(
        run(1, "a", status="degraded"),
        run(1, "b", risks=[risk("pii", mitigated=True)]),
        run(1, "c", contexts=[context("clean", "I")]),
        run(2, "c", contexts=[context("clean", "J")]),
        run(1, "d", status="failed"),
        run(1, "e", ge_evaluated=0),
        now="2026-02-02",
    )
    assert [kind for kind, _, _ in told(fleet)] == [
        "failed",
        "drift",
        "unowned-critical",
        "degraded",
        "unknown",
    ]
    assert [one.kind for one in findings(fleet, Filters(pipeline="d"))] == ["failed"]


def test_a_finding_is_the_same_in_a_later_run_and_another_elsewhere() -> None:
    """By that, it is told once."""

    def identities(*records: Any) -> list[str]:
        return [one.identity for one in findings(fleet_of(*records, now="2026-02-03"))]

    first, second = run(1, status="failed"), run(2, status="failed")
    assert identities(first) == identities(first, second)
    elsewhere = [run(1, env=env, status="failed") for env in (None, "", "prod", "dev")]
    for number, one in enumerate(elsewhere):
        one["runs"][0]["run_id"] = f"r-{number}"
    assert len(set(identities(*elsewhere))) == 4
    code = [run(day, contexts=[context("clean", str(day))]) for day in (1, 2, 3)]
    assert len(set(identities(*code))) == 2
