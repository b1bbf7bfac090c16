"""One run, with the answer beside each small fleet."""

from __future__ import annotations

from typing import Any

import pytest
from support.fleet.small import check, context, fleet_of, owner, recorded, risk

from conformare._errors import FleetError
from conformare.fleet.questions import Change, run_view
from conformare_schemas import RUN_GRAINS


def changed(before: dict[str, Any], after: dict[str, Any]) -> list[Change]:
    """What changed between two runs, each with some grains and columns of its own."""
    fleet = fleet_of(
        recorded("orders", "o-1", "2026-02-01", **before),
        recorded("orders", "o-2", "2026-02-02", **after),
    )
    return list(run_view(fleet, "o-2").changes)


def sources(location: str = "s3://lake/raw", **columns: Any) -> dict[str, Any]:
    """One source."""
    return {"sources": [{"location": location, "format": "delta", **columns}]}


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({}, {}, []),
        (
            {"run": {"status": "healthy", "git_sha": "a", "tags": {"tier": "1"}}},
            {"run": {"status": "failed", "git_sha": "b", "tags": {"tier": "2", "x": "y"}}},
            [
                Change("run", "status", "healthy", "failed"),
                Change("run", "git_sha", "a", "b"),
                Change("run", "tags", "tier=1", "tier=2, x=y"),
            ],
        ),
        # Another spelling of a place is no change.
        (sources(), sources("s3a://lake/raw/"), []),
        (sources(), sources(format="csv"), [Change("source", "s3://lake/raw", "delta", "csv")]),
        (
            sources(columns=["id"]),
            sources(columns=["id", "email"]),
            [Change("columns of source", "s3://lake/raw", "id", "id, email")],
        ),
        (
            {},
            sources(columns=["id"]),
            [
                Change("source", "s3://lake/raw", None, "delta"),
                Change("columns of source", "s3://lake/raw", None, "id"),
            ],
        ),
        (
            {"contexts": [context("clean", "I", "R"), context("gone", "I", "R")]},
            {"contexts": [context("clean", "J", "R")]},
            [
                Change("code of context", "clean", "I", "J"),
                Change("code of context", "gone", "I", None),
                Change("risks of context", "gone", "R", None),
            ],
        ),
        # Contexts of one label count together, in whichever order.
        (
            {"contexts": [context("loop", "I"), context("loop", "J")]},
            {"contexts": [context("loop", "J"), context("loop", "I"), context("loop", "I")]},
            [],
        ),
        (
            {"risks": [risk("pii", "low", mitigations=["hashed"])]},
            {"risks": [risk("pii", "high")]},
            [
                Change("risk", "pii", "low", "high"),
                Change("mitigation of risk", "pii", "hashed", ""),
            ],
        ),
        (
            {"owners": [owner("ana", "clean")]},
            {"owners": [owner("ana", "clean"), owner("ana", "pii", "risk"), owner("bob", "clean")]},
            [Change("owner", "ana", "clean", "clean, pii"), Change("owner", "bob", None, "clean")],
        ),
        (
            {"expectations": [check("not_null", "id", success=True)]},
            {"expectations": [check("not_null", "id", success=False)]},
            [Change("expectation", "not_null(id) on orders", "holds", "does not hold")],
        ),
        (
            {"expectations": [check("not_null", "id", success=True)]},
            {"expectations": [check("not_null", "id", success=None)]},
            [Change("expectation", "not_null(id) on orders", "holds", "could not be evaluated")],
        ),
    ],
)
def test_what_changed_since_the_run_before(
    before: dict[str, Any], after: dict[str, Any], expected: list[Change]
) -> None:
    """And nothing else."""
    assert changed(before, after) == expected


def test_the_run_before_is_the_one_before_it_in_time_in_its_environment() -> None:
    """A late run changes which one that is; a later run does not."""
    records = [
        recorded("orders", run_id, f"2026-02-0{day}", run={"env": env, "git_sha": run_id})
        for run_id, day, env in (
            ("o-1", 1, "prod"),
            ("o-4", 4, "prod"),
            ("dev", 3, "dev"),
            ("o-2", 2, "prod"),
            ("o-2b", 2, "prod"),
        )
    ]
    fleet = fleet_of(*records)

    def before(run_id: str) -> str | None:
        previous = run_view(fleet, run_id).previous
        return None if previous is None else str(previous["run_id"])

    assert {one: before(one) for one in ("o-1", "o-2", "o-2b", "o-4", "dev")} == {
        "o-1": None,
        "o-2": "o-1",
        "o-2b": "o-2",
        "o-4": "o-2b",
        "dev": None,
    }
    assert run_view(fleet, "o-1").changes == ()


def test_a_run_is_told_with_all_its_rows_and_its_health() -> None:
    """Its own alone."""
    fleet = fleet_of(
        recorded("orders", "o-1", "2026-02-01", risks=[risk("old")]),
        recorded("orders", "o-2", "2026-02-02", run={"ge_evaluated": 0}, risks=[risk("pii")]),
    )
    found = run_view(fleet, "o-2")
    assert (found.run["run_id"], found.health) == ("o-2", "unknown")
    assert [row["risk_id"] for row in found.grains["risks"]] == ["pii"]
    assert set(found.grains) == set(RUN_GRAINS) - {"runs"}


def test_a_run_id_of_two_pipelines_wants_a_name() -> None:
    """A job may record several pipelines under its own id."""
    fleet = fleet_of(recorded("a", "job-7", "2026-02-01"), recorded("b", "job-7", "2026-02-01"))
    with pytest.raises(
        FleetError, match="several pipelines have a run 'job-7': name one of them, a, b"
    ):
        run_view(fleet, "job-7")
    assert run_view(fleet, "job-7", "b").run["pipeline"] == "b"
    with pytest.raises(FleetError, match="has no run 'job-8'"):
        run_view(fleet, "job-8")
    with pytest.raises(FleetError, match="has no run 'job-7' of c"):
        run_view(fleet, "job-7", "c")
