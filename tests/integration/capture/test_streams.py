"""Streams: read, made of steps, written; and functions of micro-batches, recorded once."""

from __future__ import annotations

from pathlib import Path

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from support.jobs.lineage import Grain, flow

from conformare.capture import (
    describe,
    greatExpectations,
    lineage,
    profile,
    risk,
    store,
    untracked,
)

SCHEMA = "id int, email string, g string"


@pytest.fixture
def arriving(people: DataFrame, tmp_path: Path) -> str:
    """A folder of three files, each a micro-batch of its own."""
    with untracked():
        for _ in range(3):
            people.coalesce(1).write.mode("append").json(str(tmp_path / "arriving"))
    return str(tmp_path / "arriving")


def stream_of(spark: SparkSession, folder: str) -> DataFrame:
    """Return a stream of the folder's files, one for each micro-batch."""
    return spark.readStream.schema(SCHEMA).option("maxFilesPerTrigger", 1).json(folder)


def test_streams_are_sources_steps_and_sinks(
    tracked: SparkSession, arriving: str, grain: Grain, tmp_path: Path
) -> None:
    rows = stream_of(tracked, arriving)
    kept = rows.withWatermark("at", "1 minute") if "at" in rows.columns else rows.filter("id > 1")
    writer = kept.writeStream.format("parquet").option("checkpointLocation", f"{tmp_path}/c1")
    query = writer.option("path", f"{tmp_path}/out").trigger(availableNow=True).start()
    query.awaitTermination()
    memory = kept.writeStream.format("memory").queryName("in_memory").trigger(availableNow=True)
    memory.start().awaitTermination()
    table = kept.writeStream.option("checkpointLocation", f"{tmp_path}/c2").format("delta")
    table.trigger(availableNow=True).toTable("streamed_to").awaitTermination()
    tracked.sql("drop table streamed_to")
    (source,) = grain("sources")
    assert (source["location"], source["format"], source["reader"]) == (
        arriving,
        "json",
        "spark.readStream",
    )
    assert source["columns"] == ["id", "email", "g"]
    sinks = grain("sinks")
    assert [(row["node"], row["location"], row["format"], row["writer"]) for row in sinks] == [
        ("out", f"{tmp_path}/out", "parquet", "spark.writeStream"),
        ("in_memory", "in_memory", "memory", "spark.writeStream"),
        ("streamed_to", "streamed_to", "delta", "spark.writeStream"),
    ]
    assert [row["columns"] for row in sinks] == [["email", "g", "id"]] * 3


def test_a_table_in_memory_stands_for_the_stream(
    tracked: SparkSession, arriving: str, grain: Grain
) -> None:
    rows = stream_of(tracked, arriving)
    kept = rows.filter("id > 1")
    writer = kept.writeStream.format("memory").queryName("Arrived").trigger(availableNow=True)
    writer.start().awaitTermination()
    read = tracked.table("arrived")
    asked = tracked.sql("select * from arrived")
    assert read.count() == asked.count() == 6
    assert [source["location"] for source in grain("sources")] == [arriving]
    assert flow()[-2:] == [("table", ("kept",), "read"), ("sql", ("kept",), "asked")]


def test_a_function_of_micro_batches_is_recorded_once(
    tracked: SparkSession, arriving: str, grain: Grain, tmp_path: Path
) -> None:
    batches: list[int] = []

    def land(batch: DataFrame, number: int) -> None:
        batches.append(number)
        with describe("land", risks=["privacy.pii_exposure"]):
            kept = batch.filter("id > 1")
            kept.write.mode("append").parquet(f"{tmp_path}/all")
            kept.select("id").write.mode("append").json(f"{tmp_path}/ids")

    with describe("stream"), risk("ops.manual_step"):
        rows = stream_of(tracked, arriving)
        writer = rows.writeStream.foreachBatch(land).trigger(availableNow=True)
    writer.option("checkpointLocation", f"{tmp_path}/c").start().awaitTermination()
    assert batches == [0, 1, 2]
    assert [(event.op, event.kind) for event in lineage()] == [
        ("spark.readStream", "source"),
        ("filter", "op"),
        ("parquet", "sink"),
        ("select", "op"),
        ("json", "sink"),
    ]
    assert [(row["location"], row["columns"]) for row in grain("sinks")] == [
        (f"{tmp_path}/all", ["email", "g", "id"]),
        (f"{tmp_path}/ids", ["id"]),
    ]
    contexts = {row["context_label"]: row for row in grain("contexts")}
    assert [contexts[name]["n_steps"] for name in ("stream", "land")] == [0, 2]
    assert {row["risk_id"] for row in grain("risks")} == {"ops.manual_step", "privacy.pii_exposure"}
    # The stream is upstream of both sinks.
    first = lineage()[1]
    node = store.snapshot().sources[0].node
    assert first.parents == (node,)
    assert {risk.risk_id for risk in first.risks} == {"ops.manual_step", "privacy.pii_exposure"}


def test_a_batch_function_is_inside_the_profiles_that_were_open_where_it_was_handed_over(
    tracked: SparkSession, arriving: str, grain: Grain, tmp_path: Path
) -> None:
    def land(batch: DataFrame, _number: int) -> None:
        batch.filter("id > 1").write.mode("append").parquet(f"{tmp_path}/all")

    rows = stream_of(tracked, arriving)
    not_null = greatExpectations(("expect_column_values_to_not_be_null", {"column": "id"}))
    with profile(not_null):
        writer = rows.writeStream.foreachBatch(land).trigger(availableNow=True)
    writer.option("checkpointLocation", f"{tmp_path}/c").start().awaitTermination()
    assert [(row["column"], row["success"]) for row in grain("expectations")] == [("id", True)]


def test_literals_in_the_names_of_a_stream_are_hidden_in_its_batches(
    tracked: SparkSession, arriving: str, grain: Grain, tmp_path: Path
) -> None:
    def land(batch: DataFrame, _number: int) -> None:
        batch.write.mode("append").parquet(f"{tmp_path}/all")
        batch.filter("id > 1").write.mode("append").parquet(f"{tmp_path}/some")

    rows = stream_of(tracked, arriving).select("id", F.col("email") == "Bob Smith")
    writer = rows.writeStream.foreachBatch(land).trigger(availableNow=True)
    writer.option("checkpointLocation", f"{tmp_path}/c").start().awaitTermination()
    assert [row["columns"] for row in grain("sinks")] == [["(email = ?)", "id"]] * 2


def test_an_error_of_a_batch_function_is_the_users_own(
    tracked: SparkSession, arriving: str, tmp_path: Path
) -> None:
    def fail(_batch: DataFrame, _number: int) -> None:
        raise ValueError("of the user")

    rows = stream_of(tracked, arriving)
    writer = rows.writeStream.foreachBatch(fail).trigger(availableNow=True)
    query = writer.option("checkpointLocation", f"{tmp_path}/c").start()
    with pytest.raises(Exception, match="of the user"):
        query.awaitTermination()
