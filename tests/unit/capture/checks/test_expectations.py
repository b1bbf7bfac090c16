"""What a profiler of Great Expectations does before it needs Great Expectations."""

from __future__ import annotations

from typing import Any

import pytest

from conformare.capture import greatExpectations, store
from conformare.record import to_run_record

NOT_NULL = "expect_column_values_to_not_be_null"


def test_checks_that_are_skipped_are_seen_and_degrade_the_run(stub_frame: type[Any]) -> None:
    checks = greatExpectations(
        (NOT_NULL, {"column": "id"}),
        {"type": NOT_NULL, "severity": "info"},
        17,
        when=lambda frame: frame.columns == [],
        hard_severities="warning",
    )
    store.add_expectations(checks.evaluate(stub_frame(["id"]), store.node_for(None, "orders")))
    record = to_run_record(store, "p")
    rows = record["expectations"]
    names = ("node", "expectation", "column", "success", "hard", "severity")
    assert [tuple(row[name] for name in names) for row in rows] == [
        ("orders", NOT_NULL, "id", None, False, "warning"),
        ("orders", NOT_NULL, None, None, False, "info"),
        ("orders", "int", None, None, False, "warning"),
    ]
    assert {row["error"] for row in rows} == {"skipped: `when` said no"}
    (run,) = record["runs"]
    assert (run["status"], run["ge_evaluated"], run["ge_errored"]) == ("degraded", 3, 3)


@pytest.mark.parametrize("frame", [None, object()])
def test_what_is_no_frame_is_seen(frame: Any) -> None:
    (row,) = greatExpectations(NOT_NULL).evaluate(frame, 1)
    assert (row.success, row.error) == (None, "the frame could not be looked at (AttributeError)")
