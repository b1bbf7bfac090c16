"""A session of Spark Connect is captured as a classic one is, without a round trip for a step."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyspark
import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from support.jobs.lineage import Grain, flow

from conformare.capture import describe, lineage, restore, store, trackSpark, untracked
from conformare.record import to_run_record

COLUMNS = ["email", "g", "id"]

pytestmark = [pytest.mark.sessions("connect"), pytest.mark.usefixtures("tracked")]


@pytest.fixture
def tables(spark: SparkSession, people: DataFrame) -> Iterator[SparkSession]:
    """Two Delta tables."""
    with untracked():
        for name in ("incoming_connect", "kept_connect"):
            people.write.format("delta").mode("overwrite").saveAsTable(name)
    yield spark
    with untracked():
        for name in ("incoming_connect", "kept_connect", "made_connect"):
            spark.sql(f"drop table if exists {name}")


def test_steps_are_those_of_a_classic_session(people: DataFrame) -> None:
    with describe("steps"):
        kept = people.filter(people.id > 1).withColumn("n", F.lit(1)).na.fill("?")
        sums = kept.groupBy("g").agg(F.sum("n").alias("total"))
        joined = kept.join(other=sums, on="g", how="left")
        people.groupBy("g").pivot("id", [1, 2]).max("id")
        both = people.groupBy("g").cogroup(kept.groupBy("g"))
        both.applyInPandas(lambda a, _: a, "id int, email string, g string")
        people.mapInPandas(lambda parts: parts, "id int, email string, g string")
        joined.randomSplit([0.5, 0.5], seed=1)
    people.count()
    people.toPandas()
    people.first()
    assert people.isEmpty() is False
    assert [op for op, _, _ in flow()] == [
        "filter",
        "withColumn",
        "fillna",
        "group_by.agg",
        "join",
        "group_by.max",
        "group_by.cogroup.applyInPandas",
        "mapInPandas",
        "randomSplit",
        "randomSplit",
    ]
    assert flow()[:5] == [
        ("filter", ("people",), "people.c1"),
        ("withColumn", ("people.c1",), "people.c2"),
        ("fillna", ("people.c2",), "kept"),
        ("group_by.agg", ("kept",), "sums"),
        ("join", ("kept", "sums"), "joined"),
    ]
    number = store.node_of(joined)
    assert number is not None
    assert store.cols[number.number] == ("g", "id", "email", "n", "total")


def test_steps_ask_the_server_nothing(
    spark: SparkSession, people: DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    client = spark.client  # type: ignore[operator]  # a property, whatever its annotation says
    for name in ("_analyze", "_execute", "_execute_and_fetch_as_iterator"):
        original = getattr(type(client), name)

        def noted(
            self: Any, *args: Any, _name: str = name, _do: Any = original, **kwargs: Any
        ) -> Any:
            asked.append(_name)
            return _do(self, *args, **kwargs)

        monkeypatch.setattr(type(client), name, noted)
    frame = people
    for number in range(10):
        frame = frame.withColumn(f"c{number}", F.lit(number)).filter("id > 0").select("*")
    grouped = frame.groupBy("g").count()
    grouped.createOrReplaceTempView("steps_of_connect")
    views = len(asked)
    spark.table("steps_of_connect").limit(1)
    assert len(asked) == views <= 1  # making the view is a command of the user's
    record = to_run_record(store, "p")
    assert record["runs"][0]["n_columns"] == 3 + 10 + 1
    assert asked


def test_reads_and_writes(
    tables: SparkSession, people: DataFrame, grain: Grain, tmp_path: Path
) -> None:
    people.write.parquet(f"{tmp_path}/a")
    people.write.format("delta").save(f"{tmp_path}/b")
    people.write.mode("append").insertInto("kept_connect")
    people.write.format("delta").mode("append").saveAsTable("kept_connect")
    people.writeTo("kept_connect").append()
    tables.read.parquet(f"{tmp_path}/a")
    tables.read.format("delta").option("path", f"{tmp_path}/b").load()
    tables.table("kept_connect")
    tables.range(3)
    assert [(row["node"], row["format"], row["columns"]) for row in grain("sinks")] == [
        ("a", "parquet", COLUMNS),
        ("b", "delta", COLUMNS),
        ("kept_connect", "delta", COLUMNS),
        ("kept_connect", "delta", COLUMNS),
        ("kept_connect", "delta", COLUMNS),
    ]
    assert [(row["location"], row["format"], row["reader"]) for row in grain("sources")] == [
        (f"{tmp_path}/a", "parquet", "spark.read"),
        (f"{tmp_path}/b", "delta", "spark.read"),
        ("kept_connect", "delta", "spark.table"),
        ("(memory)", "memory", "spark.range"),
    ]


def test_statements_and_views(tables: SparkSession, people: DataFrame, grain: Grain) -> None:
    kept = people.filter("id > 1")
    kept.createOrReplaceTempView("lately_connect")
    tables.sql("select l.id from lately_connect l join incoming_connect i on l.id = i.id")
    tables.sql("select id from incoming_connect")
    tables.sql("insert into kept_connect select * from incoming_connect")
    tables.sql("create table made_connect using delta as select id from lately_connect")
    tables.sql("delete from kept_connect where email = 'secret@example.org'")
    assert [(event.op, event.kind) for event in lineage()] == [
        ("filter", "op"),
        ("sql", "op"),
        ("spark.sql", "source"),
        ("sql", "op"),
        ("spark.sql", "source"),
        ("sql", "op"),
        ("spark.sql", "source"),
        ("insert", "sink"),
        ("sql", "op"),
        ("create", "sink"),
        ("sql", "op"),
        ("delete", "sink"),
    ]
    assert [event.parents for event in lineage()][1] == (2,)
    assert [(row["location"], row["format"]) for row in grain("sources")] == [
        ("incoming_connect", "delta"),
        ("incoming_connect", "delta"),
        ("incoming_connect", "delta"),
    ]
    assert [(row["location"], row["format"], row["columns"]) for row in grain("sinks")] == [
        ("kept_connect", "delta", COLUMNS),
        ("made_connect", "delta", ["id"]),
        ("kept_connect", "delta", COLUMNS),
    ]
    assert "secret" not in str(grain("sinks"))


@pytest.mark.skipif(pyspark.__version__ < "4", reason="pyspark 3.5 itself raises a TypeError")
def test_frames_given_to_a_query_are_its_parents(
    tables: SparkSession, people: DataFrame, grain: Grain
) -> None:
    tables.sql("select id from {people} where id > 1", people=people)
    assert [(event.op, event.kind) for event in lineage()] == [("sql", "op")]
    tables.sql("select p.id from {people} p join incoming_connect i on p.id = i.id", people=people)
    assert [row["location"] for row in grain("sources")] == ["incoming_connect"]


def test_streams(spark: SparkSession, people: DataFrame, grain: Grain, tmp_path: Path) -> None:
    with untracked():
        people.write.json(f"{tmp_path}/in")
    rows = spark.readStream.schema("id int, email string, g string").json(f"{tmp_path}/in")
    writer = rows.filter("id > 1").writeStream.format("parquet").trigger(availableNow=True)
    writer = writer.option("checkpointLocation", f"{tmp_path}/c")
    writer.start(f"{tmp_path}/out").awaitTermination()
    assert [(row["location"], row["format"]) for row in grain("sources")] == [
        (f"{tmp_path}/in", "json")
    ]
    assert [(row["location"], row["format"], row["columns"]) for row in grain("sinks")] == [
        (f"{tmp_path}/out", "parquet", COLUMNS)
    ]


def test_a_session_that_is_made_after_tracking_began_is_tracked(spark: SparkSession) -> None:
    original = type(spark.range(1)).filter
    restore()
    assert type(spark.range(1)).filter is not original
    trackSpark()
    made = spark.range(3).filter("id > 0")
    assert [event.op for event in lineage()][-1] == "filter"
    assert made.count() == 2
