"""With a real Spark: what it names by data, and what a location holds, never gets into a record."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pyspark
import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from support.jobs.lineage import Grain

from conformare.capture import store, untracked
from conformare.record import build_model, describe_run, to_run_record

BOB = "Bob Smith 123-45-6789"
BOTH = pytest.mark.sessions("classic", "connect")
LISTED: list[Any] = ["x", "y"]


@pytest.fixture
def sales(spark: SparkSession) -> DataFrame:
    """Sales of two persons; nothing of them has been captured."""
    with untracked():
        return spark.createDataFrame([(1, BOB, 2), (2, "Ann", 3)], "id int, who string, n int")


def all_that_is_told() -> str:
    """Return the record, the model and the tree of what was captured."""
    shown = io.StringIO()
    describe_run(store, file=shown)
    record = to_run_record(store, "p", run_id="r", ts="2026-01-01")
    return json.dumps([record, build_model(store)]) + shown.getvalue()


@BOTH
@pytest.mark.usefixtures("tracked")
def test_a_pivot_without_listed_values_is_one_entry_also_downstream(
    sales: DataFrame, tmp_path: Path, grain: Grain
) -> None:
    pivoted = sales.groupBy("id").pivot("who").sum("n")
    pivoted.write.parquet(f"{tmp_path}/a")
    total = pivoted.withColumn("total", F.lit(1)).filter("id > 0")
    total.write.parquet(f"{tmp_path}/b")
    total.select("id", F.upper(F.col(f"`{BOB}`"))).write.parquet(f"{tmp_path}/c")
    found = [row[0] for row in sales.select("who").distinct().collect()]
    sales.groupBy("id").pivot("who", found).sum("n").write.parquet(f"{tmp_path}/d")
    pivoted.createOrReplaceTempView("by_person")
    spark = sales.sparkSession
    spark.sql("select * from by_person").write.parquet(f"{tmp_path}/e")
    assert [row["columns"] for row in grain("sinks")] == [
        ["id", "pivot(who)"],
        ["id", "pivot(who)", "total"],
        ["id", "pivot(who)"],
        ["id", "pivot(who)"],
        ["id", "pivot(who)"],
    ]
    assert "Bob Smith" not in all_that_is_told()


@pytest.mark.usefixtures("tracked")
def test_without_its_keys_a_pivot_is_the_entry_alone(
    spark: SparkSession, sales: DataFrame, tmp_path: Path, grain: Grain
) -> None:
    spark.conf.set("spark.sql.retainGroupColumns", "false")
    try:
        pivoted = sales.groupBy("id", "n").pivot("who").agg(F.sum("n"), F.max("n").alias("m"))
    finally:
        spark.conf.unset("spark.sql.retainGroupColumns")
    pivoted.write.parquet(f"{tmp_path}/a")
    assert [row["columns"] for row in grain("sinks")] == [["pivot(who)"]]
    assert "Bob Smith" not in all_that_is_told()


@BOTH
@pytest.mark.usefixtures("tracked")
def test_values_that_the_author_lists_are_columns(
    people: DataFrame, tmp_path: Path, grain: Grain
) -> None:
    people.groupBy("id").pivot("g", ["x", "y"]).count().write.parquet(f"{tmp_path}/a")
    people.groupBy("id").pivot("g", LISTED).count().write.parquet(f"{tmp_path}/b")
    assert [row["columns"] for row in grain("sinks")] == [["id", "x", "y"]] * 2


@BOTH
@pytest.mark.usefixtures("tracked")
def test_a_crosstab_and_a_transposition_are_one_entry(
    sales: DataFrame, tmp_path: Path, grain: Grain
) -> None:
    sales.crosstab("id", "who").drop("x").write.option("header", True).csv(f"{tmp_path}/a")
    columns = [["crosstab(who)", "id_who"]]
    if not pyspark.__version__.startswith("3."):
        sales.select("who", "n").transpose("who").write.parquet(f"{tmp_path}/b")
        columns.append(["key", "transpose(who)"])
    found: list[list[str]] = [row["columns"] for row in grain("sinks")]
    assert found == columns
    assert "Bob Smith" not in all_that_is_told()


@BOTH
@pytest.mark.usefixtures("tracked")
def test_a_path_shows_neither_values_of_sensitive_columns_nor_signatures(
    sales: DataFrame, tmp_path: Path, grain: Grain
) -> None:
    address = "email=alexander.longlastname@corporation-name.example.org"
    sales.write.parquet(f"{tmp_path}/{address}")
    sales.write.parquet(f"{tmp_path}/c?sv=1&sig=secret")
    sales.sparkSession.read.parquet(f"{tmp_path}/{address}")
    assert [(row["node"], row["location"]) for row in grain("sinks")] == [
        ("email=***", f"{tmp_path}/email=***"),
        ("c", f"{tmp_path}/c"),
    ]
    assert [row["location"] for row in grain("sources")] == [f"{tmp_path}/email=***"]
    told = all_that_is_told()
    assert "alexander" not in told
    assert "secret" not in told
