"""Great Expectations checks every row by Spark, says so when it cannot, and shows no value."""

from __future__ import annotations

import importlib
import logging
import sys
import warnings
from collections.abc import Callable
from typing import Any

import pytest
from pyspark.sql import DataFrame

from conformare.capture import (
    greatExpectations,
    lineage,
    profile,
    set_profiles,
)

Grain = Callable[[str], list[dict[str, Any]]]
pytestmark = pytest.mark.usefixtures("tracked")

NOT_NULL = "expect_column_values_to_not_be_null"


def gx_not_null(column: str) -> Any:
    """Return a native expectation."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Great Expectations uses deprecated modules
        gxe = importlib.import_module("great_expectations.expectations")
    return gxe.ExpectColumnValuesToNotBeNull(column=column)


def checked(people: DataFrame, *expectations: Any, **options: Any) -> DataFrame:
    """Return a frame whose making was checked."""
    with profile(greatExpectations(*expectations, **options), ops="filter"):
        return people.filter("id > 0")


def test_every_form_of_an_expectation_is_evaluated(people: DataFrame, grain: Grain) -> None:
    kept = checked(
        people,
        gx_not_null("email"),
        {"type": NOT_NULL, "kwargs": {"column": "id"}, "severity": "info"},
        {"expectation_type": NOT_NULL, "kwargs": {"column": "g", "mostly": 0.5}},
        ("expect_table_row_count_to_equal", {"value": 3}),
        "expect_table_row_count_to_be_between",
        hard_severities=["critical"],
    )
    names = ("node", "column", "success", "hard", "severity", "observed", "error")
    assert [tuple(row[name] for name in names) for row in grain("expectations")] == [
        ("people.c1", "email", False, True, "critical", "1 of 3 unexpected", None),
        ("people.c1", "id", True, False, "info", "0 of 3 unexpected", None),
        ("people.c1", "g", True, False, "critical", "0 of 3 unexpected", None),
        ("people.c1", None, True, False, "critical", "3", None),
        ("people.c1", None, True, False, "critical", "3", None),
    ]
    assert grain("runs")[0]["status"] == "failed"
    assert [event.op for event in lineage()] == ["filter"]
    assert not kept.is_cached


def test_no_value_of_the_data_is_observed(people: DataFrame, grain: Grain) -> None:
    checked(
        people,
        ("expect_column_max_to_be_between", {"column": "id", "max_value": 1}),
        ("expect_column_most_common_value_to_be_in_set", {"column": "email", "value_set": ["q"]}),
        ("expect_column_distinct_values_to_be_in_set", {"column": "email", "value_set": ["q"]}),
        ("expect_column_mean_to_be_between", {"column": "id", "min_value": 0}),
    )
    rows = grain("expectations")
    assert [(row["success"], row["observed"]) for row in rows] == [
        (False, None),
        (False, None),
        (False, None),
        (True, "2.0"),
    ]
    assert "example.org" not in str(rows)


def test_what_cannot_be_evaluated_is_seen_and_degrades_the_run(
    people: DataFrame, grain: Grain
) -> None:
    checked(
        people,
        ("expect_column_mean_to_be_between", {"column": "email", "min_value": 0}),
        "expect_something_unheard_of",
        (NOT_NULL, {"colum": "id"}),
        {"type": NOT_NULL, "kwargs": {"column": "id"}, "severity": "error"},
        (NOT_NULL, {"column": "nothing"}),
        17,
        hard_severities=["critical", "warning", "error"],
    )
    names = ("expectation", "success", "hard", "severity", "missing_column")
    rows = grain("expectations")
    assert [tuple(row[name] for name in names) for row in rows] == [
        ("expect_column_mean_to_be_between", None, False, "critical", False),
        ("expect_something_unheard_of", None, False, "warning", False),
        (NOT_NULL, None, False, "warning", False),
        (NOT_NULL, None, False, "error", False),
        (NOT_NULL, None, False, "warning", True),
        ("int", None, False, "warning", False),
    ]
    assert [row["error"].partition(" (")[0] for row in rows] == [
        "it could not be evaluated",
        "it could not be built",
        "it could not be built",
        "it could not be built",
        "a column is missing",
        "not an expectation",
    ]
    assert "example.org" not in str(rows)
    (run,) = grain("runs")
    assert (run["status"], run["ge_evaluated"], run["ge_errored"]) == ("degraded", 6, 6)


def test_a_check_of_the_columns_themselves_can_fail(people: DataFrame, grain: Grain) -> None:
    checked(
        people,
        ("expect_column_to_exist", {"column": "nothing"}),
        ("expect_table_columns_to_match_set", {"column_set": ["id", "nothing"]}),
    )
    assert [(row["success"], row["missing_column"]) for row in grain("expectations")] == [
        (False, False)
    ] * 2


def test_great_expectations_that_is_not_installed_is_seen(
    people: DataFrame, grain: Grain, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in list(sys.modules):
        if name.partition(".")[0] == "great_expectations":
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "great_expectations", None)
    checked(people, (NOT_NULL, {"column": "id"}))
    assert [(row["success"], row["error"]) for row in grain("expectations")] == [
        (None, "Great Expectations is not installed")
    ]
    assert grain("runs")[0]["status"] == "degraded"


def test_a_condition_that_says_no_leaves_the_checks_out(people: DataFrame, grain: Grain) -> None:
    checked(people, NOT_NULL, when=lambda _: False)
    assert grain("expectations") == []


def test_a_condition_that_fails_is_seen(people: DataFrame, grain: Grain) -> None:
    def broken(_: DataFrame) -> bool:
        raise KeyError("a@example.org")

    checked(people, NOT_NULL, when=broken)
    assert [(row["success"], row["error"]) for row in grain("expectations")] == [
        (None, "the frame could not be looked at (KeyError)")
    ]


def test_the_handling_of_warnings_and_the_users_project_stay_as_they_were(
    people: DataFrame,
) -> None:
    gx_not_null("id")
    factory = importlib.import_module(
        "great_expectations.data_context.data_context.context_factory"
    )
    logging.captureWarnings(capture=False)
    factory.project_manager.set_project("the user's")
    before = (list(warnings.filters), warnings.showwarning)
    checked(people, (NOT_NULL, {"column": "id"}))
    assert (list(warnings.filters), warnings.showwarning) == before
    assert factory.project_manager.get_current_project() == "the user's"
    factory.project_manager.set_project(None)


def test_profiles_check_aggregations_and_reads(
    people: DataFrame, grain: Grain, tmp_path: Any
) -> None:
    rows = greatExpectations("expect_table_row_count_to_be_between")
    people.write.parquet(str(tmp_path / "people"))
    set_profiles({"group_by": [rows], "read": [rows]})
    again = people.sparkSession.read.parquet(str(tmp_path / "people"))
    again.filter("id > 0").groupBy("g").count()
    assert [(row["node"], row["observed"]) for row in grain("expectations")] == [
        ("people", "3"),
        ("people.c2", "2"),
    ]
