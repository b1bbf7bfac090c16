"""Great Expectations checks every row by Spark, says so when it cannot, and shows no value."""

from __future__ import annotations

import importlib
import re
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from support.jobs.lineage import Grain

from conformare.capture import (
    force_profile,
    greatExpectations,
    lineage,
    profile,
    profile_sources,
    record_expectations,
    release_cache,
    set_profiles,
    untracked,
)

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
        (NOT_NULL, None, False, "critical", True),
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


def test_a_condition_that_says_no_is_seen_and_degrades_the_run(
    people: DataFrame, grain: Grain
) -> None:
    checked(people, (NOT_NULL, {"column": "id"}), when=lambda frame: "age" in frame.columns)
    assert [(row["success"], row["error"]) for row in grain("expectations")] == [
        (None, "skipped: `when` said no")
    ]
    assert grain("runs")[0]["status"] == "degraded"


def test_a_condition_that_fails_is_seen(people: DataFrame, grain: Grain) -> None:
    def broken(_: DataFrame) -> bool:
        raise KeyError("a@example.org")

    checked(people, NOT_NULL, when=broken)
    assert [(row["success"], row["error"]) for row in grain("expectations")] == [
        (None, "the frame could not be looked at (KeyError)")
    ]


def test_profiles_check_aggregations_and_reads(
    people: DataFrame, grain: Grain, tmp_path: Any
) -> None:
    rows = greatExpectations("expect_table_row_count_to_be_between")
    people.write.parquet(str(tmp_path / "people"))
    set_profiles({"group_by": [rows], "read": [rows]})
    people.sparkSession.read.parquet(str(tmp_path / "people"))
    profile_sources()
    again = people.sparkSession.read.parquet(str(tmp_path / "people"))
    profile_sources(enable=False)
    again.filter("id > 0").groupBy("g").count()
    assert [(row["node"], row["observed"]) for row in grain("expectations")] == [
        ("people", "3"),
        ("people.c2", "2"),
    ]


VALUE = "[0-9a-f]{64}"


@contextmanager
def results_sent(spark: SparkSession) -> Iterator[list[int]]:
    """Add up the bytes that the tasks of the block's jobs send to the driver."""
    context = spark.sparkContext
    scheduler: Any = context._jsc.sc()
    tracker = context.statusTracker()
    sent: list[int] = []
    context.setJobGroup("results_sent", "")
    before = set(tracker.getJobIdsForGroup("results_sent"))
    try:
        yield sent
    finally:
        context.setLocalProperty("spark.jobGroup.id", "")
    scheduler.listenerBus().waitUntilEmpty()
    for job in set(tracker.getJobIdsForGroup("results_sent")) - before:
        info = tracker.getJobInfo(job)
        assert info is not None
        stages = [stage for stage in info.stageIds if tracker.getStageInfo(stage) is not None]
        sent += [scheduler.statusStore().lastStageAttempt(stage).resultSize() for stage in stages]


def test_no_row_of_a_large_frame_comes_to_the_driver(
    spark: SparkSession, grain: Grain, monkeypatch: pytest.MonkeyPatch
) -> None:
    n_rows = 50_000
    with untracked():
        text = F.sha2(F.col("id").cast("string"), 256)
        large = spark.range(n_rows).withColumn("text", text).withColumn("more", text)
        with results_sent(spark) as all_rows:
            (first, *_) = large.collect()
    collected: list[Any] = []
    collect = type(large).collect

    def observed_collect(frame: DataFrame) -> Any:
        rows = collect(frame)
        collected.extend(rows)
        return rows

    monkeypatch.setattr(type(large), "collect", observed_collect)
    with results_sent(spark) as sent:
        checked(
            large,
            (NOT_NULL, {"column": "text"}),
            ("expect_column_values_to_be_null", {"column": "text"}),
            ("expect_column_values_to_match_regex", {"column": "text", "regex": "^-"}),
            ("expect_column_values_to_be_unique", {"column": "text"}),
            (
                "expect_column_pair_values_a_to_be_greater_than_b",
                {
                    "column_A": "text",
                    "column_B": "more",
                },
            ),
            ("expect_compound_columns_to_be_unique", {"column_list": ["text", "more"]}),
            ("expect_table_row_count_to_equal", {"value": n_rows}),
            result_format={"result_format": "COMPLETE", "unexpected_index_column_names": ["text"]},
        )
    rest = n_rows - 1
    assert [(row["success"], row["observed"]) for row in grain("expectations")] == [
        (True, f"0 of {rest} unexpected"),
        (False, f"{rest} of {rest} unexpected"),
        (False, f"{rest} of {rest} unexpected"),
        (True, f"0 of {rest} unexpected"),
        (False, f"{rest} of {rest} unexpected"),
        (True, f"0 of {rest} unexpected"),
        (False, str(rest)),
    ]
    assert re.search(VALUE, str(first))
    assert len(collected) > 0
    assert not re.search(VALUE, str(collected))
    assert sum(all_rows) > 3_000_000
    assert 0 < sum(sent) < 300_000


def test_checks_and_pipeline_share_one_computation_where_that_is_asked_for(
    people: DataFrame, grain: Grain
) -> None:
    def is_persisted(frame: DataFrame) -> bool:
        return frame.storageLevel.useMemory

    def reads_what_is_persisted(frame: DataFrame) -> bool:
        with untracked():
            plan: Any = frame.select("id")._jdf
            return "InMemoryRelation" in plan.queryExecution().withCachedData().toString()

    checks = greatExpectations((NOT_NULL, {"column": "email"}))
    with force_profile(checks, ops="filter", cache=True):
        kept = people.filter("id > 0")
        named = kept.select("id", "email")
    assert (is_persisted(kept), is_persisted(named)) == (True, False)
    assert reads_what_is_persisted(named)
    assert [row["observed"] for row in grain("expectations")] == ["1 of 3 unexpected"]
    assert release_cache() == 1
    assert not is_persisted(kept)


def test_results_of_a_checkpoint_belong_to_the_frame_that_it_checked(
    people: DataFrame, grain: Grain
) -> None:
    with untracked(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        gx = importlib.import_module("great_expectations")
        context = gx.get_context(mode="ephemeral")
        source = context.data_sources.add_spark("users", persist=False)
        asset = source.add_dataframe_asset("people.parquet")
        everything = asset.add_batch_definition_whole_dataframe("all")
        rules = context.suites.add(gx.ExpectationSuite("rules", [gx_not_null("email")]))
        rules.add_expectation(gx_not_null("nothing"))
        definition = gx.ValidationDefinition(name="v", data=everything, suite=rules)
        context.validation_definitions.add(definition)
        checkpoint = context.checkpoints.add(
            gx.Checkpoint(name="c", validation_definitions=[definition])
        )
    kept = people.filter("id > 0")
    with untracked(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = checkpoint.run(batch_parameters={"dataframe": kept})
    assert record_expectations(result, frame=kept, hard_severities=["critical"]) == 2
    rows = {row["column"]: row for row in grain("expectations")}
    assert {row["node"] for row in rows.values()} == {"kept"}
    assert (rows["email"]["success"], rows["email"]["hard"]) == (False, True)
    assert rows["email"]["observed"] == "1 of 3 unexpected"
    assert (rows["nothing"]["success"], rows["nothing"]["missing_column"]) == (None, True)
    assert "example.org" not in str(rows)
