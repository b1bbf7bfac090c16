"""Drift, with the answer beside each small fleet."""

from __future__ import annotations

from typing import Any

import pytest

from conformare.fleet import review_report

DAY = "2026-01-0{}T00:00:00.000000Z"


def fleet(*runs: tuple[str, int, str, str]) -> dict[str, list[dict[str, Any]]]:
    """A pipeline with one context: run_id, day, fingerprint of its code, and of its risks."""
    tables: dict[str, list[dict[str, Any]]] = {"runs": [], "contexts": []}
    for run_id, day, impl_hash, risk_hash in runs:
        run = {"run_id": run_id, "pipeline": "orders", "ts": DAY.format(day)}
        counts = dict.fromkeys(("ge_evaluated", "ge_failed", "ge_errored", "risks_unmitigated"), 0)
        tables["runs"].append(
            {
                **run,
                **counts,
                "env": "prod",
                "status": "healthy",
                "git_sha": f"sha of {run_id}",
                "tags": {},
                "sensitive_written": 0,
            }
        )
        context = {"context_label": "clean", "impl_hash": impl_hash, "risk_hash": risk_hash}
        tables["contexts"].append({**run, **context, "has_risks": True, "risk_ids": ["pii"]})
    return tables


def drifts(*runs: tuple[str, int, str, str]) -> list[tuple[str, str, bool]]:
    """The runs before and after each drift, newest first, and whether it is open."""
    rows = review_report(fleet(*runs))
    return [(row["from_run"], row["to_run"], row["is_open"]) for row in rows]


@pytest.mark.parametrize(
    ("runs", "expected"),
    [
        ([("a", 1, "I", "R"), ("b", 2, "I", "R")], []),
        ([("a", 1, "I", "R"), ("b", 2, "J", "R")], [("a", "b", True)]),
        ([("a", 1, "I", "R"), ("b", 2, "J", "S")], []),
        # Later risks settle it.
        ([("a", 1, "I", "R"), ("b", 2, "J", "R"), ("c", 3, "J", "S")], [("a", "b", False)]),
        # A run that comes late takes its place by its time.
        (
            [("a", 1, "I", "R"), ("c", 3, "J", "R"), ("b", 2, "I", "R")],
            [("b", "c", True)],
        ),
        (
            [("a", 1, "I", "R"), ("b", 2, "J", "R"), ("c", 3, "I", "R")],
            [("b", "c", True), ("a", "b", True)],
        ),
        # Of runs of one time, the run_id says which comes first.
        (
            [("a", 1, "I", "R"), ("b", 1, "J", "R"), ("c", 1, "I", "R"), ("d", 1, "J", "R")],
            [("c", "d", True), ("b", "c", True), ("a", "b", True)],
        ),
        # Contexts of one label in one run are not compared with each other.
        ([("a", 1, "I", "R"), ("a", 1, "J", "R")], []),
    ],
)
def test_code_that_changed_under_the_same_risks_is_a_drift(
    runs: list[tuple[str, int, str, str]], expected: list[tuple[str, str, bool]]
) -> None:
    assert drifts(*runs) == expected


def test_a_drift_says_what_changed_and_by_which_commit() -> None:
    (row,) = review_report(fleet(("a", 1, "I", "R"), ("b", 2, "J", "R")))
    assert row == {
        "pipeline": "orders",
        "env": "prod",
        "context_label": "clean",
        "from_run": "a",
        "to_run": "b",
        "from_ts": DAY.format(1),
        "to_ts": DAY.format(2),
        "from_impl_hash": "I",
        "to_impl_hash": "J",
        "risk_hash": "R",
        "has_risks": True,
        "risk_ids": ["pii"],
        "git_sha": "sha of b",
        "owners": [],
        "is_open": True,
    }
