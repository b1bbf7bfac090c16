"""A check may name columns in every way that Spark and Great Expectations understand."""

from __future__ import annotations

import importlib
import logging
from collections.abc import Iterator
from typing import Any

import pandas as pd
import pyspark
import pytest
from pyspark.errors import AnalysisException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from support.jobs.lineage import Grain

from conformare.capture import greatExpectations, lineage, profile, record_expectations, untracked
from conformare.capture.checks._columns import is_wanting

Answer = tuple[bool | None, bool]
pytestmark = [pytest.mark.usefixtures("tracked"), pytest.mark.sessions("classic", "connect")]

NOT_NULL = "expect_column_values_to_not_be_null"
OF_TYPE = "expect_column_values_to_be_of_type"
PAIR = "expect_column_pair_values_a_to_be_greater_than_b"
MEAN = "expect_column_mean_to_be_between"
TOGETHER = "expect_compound_columns_to_be_unique"
HOLDS, FAILS, MISSING, UNKNOWN = (True, False), (False, False), (None, True), (None, False)
SCHEMA = """
    ID int, s struct<email: string, n: int>, arr array<struct<email: string>>, `a.b` string,
    m map<string, string>
"""

CHECKS: list[tuple[str, dict[str, Any], Answer]] = [
    (NOT_NULL, {"column": "ID"}, HOLDS),
    (NOT_NULL, {"column": "id"}, HOLDS),
    (NOT_NULL, {"column": "s.email"}, FAILS),
    (NOT_NULL, {"column": "S.EMAIL"}, FAILS),
    (NOT_NULL, {"column": "`a.b`"}, FAILS),
    (NOT_NULL, {"column": "a.b"}, FAILS),
    (NOT_NULL, {"column": "nothing"}, MISSING),
    (NOT_NULL, {"column": "s.nothing"}, MISSING),
    (NOT_NULL, {"column": "`nothing"}, MISSING),
    # Spark resolves these, Great Expectations does not.
    (NOT_NULL, {"column": "arr.email"}, UNKNOWN),
    (NOT_NULL, {"column": "m.key"}, UNKNOWN),
    (OF_TYPE, {"column": "s.n", "type_": "IntegerType"}, HOLDS),
    (OF_TYPE, {"column": "nothing", "type_": "IntegerType"}, MISSING),
    (MEAN, {"column": "id", "min_value": 1, "max_value": 2}, HOLDS),
    (MEAN, {"column": "nothing"}, MISSING),
    ("expect_column_max_to_be_between", {"column": "s.n", "max_value": 2}, FAILS),
    (PAIR, {"column_A": "S.n", "column_B": "id"}, HOLDS),
    (PAIR, {"column_A": "nothing", "column_B": "id"}, MISSING),
    (TOGETHER, {"column_list": ["ID", "s"]}, HOLDS),
    (TOGETHER, {"column_list": ["ID", "nothing"]}, MISSING),
    ("expect_column_to_exist", {"column": "s.email"}, HOLDS),
    ("expect_column_to_exist", {"column": "nothing"}, FAILS),
    ("expect_table_columns_to_match_set", {"column_set": ["id"]}, FAILS),
    (NOT_NULL, {"column": "id", "row_condition": "no > 1", "condition_parser": "spark"}, UNKNOWN),
]


@pytest.fixture
def frame(spark: SparkSession) -> DataFrame:
    """Two rows, of which nothing has been captured."""
    rows: list[Any] = [(1, ("a@b", 2), [("a",)], "v", {}), (2, (None, 3), [], None, {})]
    with untracked():
        return spark.createDataFrame(rows, SCHEMA)


def answers(grain: Grain) -> list[Answer]:
    """Return of each check whether it holds, and whether a column is missing."""
    return [(row["success"], row["missing_column"]) for row in grain("expectations")]


def check(frame: DataFrame, *checks: tuple[str, dict[str, Any]]) -> None:
    """Check the result of a step."""
    with profile(greatExpectations(*checks)):
        frame.filter("true")


def test_names_are_resolved_as_spark_resolves_them(
    frame: DataFrame, grain: Grain, capfd: pytest.CaptureFixture[str]
) -> None:
    check(frame, *((type_, arguments) for type_, arguments, _ in CHECKS))
    assert answers(grain) == [answer for _, _, answer in CHECKS]
    assert [row["column"] for row in grain("expectations")][2:6] == [
        *("s.email", "S.EMAIL", "`a.b`", "a.b")
    ]
    assert [event.op for event in lineage()] == ["filter"]
    assert "QueryContextLogger" not in capfd.readouterr().err


@pytest.fixture
def case_matters(spark: SparkSession) -> Iterator[None]:
    """The session tells names apart by their case."""
    spark.conf.set("spark.sql.caseSensitive", "true")
    yield
    spark.conf.unset("spark.sql.caseSensitive")


@pytest.mark.usefixtures("case_matters")
def test_names_are_resolved_where_their_case_matters(frame: DataFrame, grain: Grain) -> None:
    # Great Expectations finds `id` all the same, and what it answers is recorded.
    check(
        frame,
        (NOT_NULL, {"column": "id"}),
        (NOT_NULL, {"column": "s.email"}),
        (TOGETHER, {"column_list": ["id", "nothing"]}),
        (OF_TYPE, {"column": "id", "type_": "IntegerType"}),
        (OF_TYPE, {"column": "ID", "type_": "IntegerType"}),
    )
    assert answers(grain) == [HOLDS, FAILS, MISSING, MISSING, HOLDS]


def test_a_column_that_is_there_twice_is_not_missing(frame: DataFrame, grain: Grain) -> None:
    with untracked():
        twice = frame.select("ID", F.lit(1).alias("id"))
    check(twice, (NOT_NULL, {"column": "Id"}))
    assert answers(grain) == [UNKNOWN]


def test_a_result_that_is_handed_over_is_of_its_frame(frame: DataFrame, grain: Grain) -> None:
    text = 'Error: The column "c" in BatchData does not exist.'
    fault = {"raised_exception": True, "exception_message": text, "exception_traceback": ""}
    results = [
        {
            "success": False,
            "expectation_config": {"type": NOT_NULL, "kwargs": {"column": column}},
            "exception_info": fault,
        }
        for column in ("arr.email", "nothing")
    ]
    record_expectations(results, frame=frame)
    record_expectations(results)
    assert answers(grain) == [UNKNOWN, MISSING, MISSING, MISSING]
    assert lineage() == []


@pytest.mark.sessions("classic")
@pytest.mark.usefixtures("spark")
def test_columns_of_pandas_are_found_as_great_expectations_finds_them(grain: Grain) -> None:
    frame = pd.DataFrame({"ID": [1, 2], "a.b": ["v", None], 3: [1, 1]})
    named = [
        (NOT_NULL, {"column": "id"}),
        (NOT_NULL, {"column": "a.b"}),
        (NOT_NULL, {"column": "`a.b`"}),
        (NOT_NULL, {"column": "s.email"}),
        (OF_TYPE, {"column": "id", "type_": "int"}),
    ]
    results = greatExpectations(*named).evaluate(frame, 1)
    found = [(result.success, result.missing_column) for result in results]
    assert found == [HOLDS, FAILS, MISSING, MISSING, UNKNOWN]
    assert grain("expectations") == []


# On Connect, Spark logs an exception only where the server has told its context.
@pytest.mark.sessions("classic")
@pytest.mark.skipif(pyspark.__version__ < "4", reason="Spark logs no exceptions before Spark 4")
def test_an_error_of_the_users_is_still_logged(
    frame: DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    logger = importlib.import_module("pyspark.logger").PySparkLogger.getLogger(
        "DataFrameQueryContextLogger"
    )
    logged: list[logging.LogRecord] = []
    handler = logging.Handler()
    monkeypatch.setattr(handler, "emit", logged.append)
    logger.addHandler(handler)
    try:
        assert is_wanting(frame, NOT_NULL, {"column": "nothing"})
        assert logged == []
        with pytest.raises(AnalysisException, match="nothing"):
            _ = frame.select(F.col("nothing") + 1).columns
        assert len(logged) == 1
    finally:
        logger.removeHandler(handler)
