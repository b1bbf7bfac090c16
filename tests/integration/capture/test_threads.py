"""Steps and writes of threads belong to the contexts and risks that their threads were begun in."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.pool import ThreadPool
from pathlib import Path
from typing import Any

import pyspark
import pytest
from pyspark import InheritableThread
from pyspark.sql import DataFrame, SparkSession
from support.jobs.lineage import Grain

from conformare.capture import describe, greatExpectations, profile, risk, trackSpark

pytestmark = [pytest.mark.usefixtures("tracked"), pytest.mark.sessions("classic", "connect")]


def by_executor(work: Callable[[], Any], _: SparkSession) -> Any:
    """Do work in an executor."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(work).result()


def by_pool(work: Callable[[], Any], _: SparkSession) -> Any:
    """Do work in a pool of threads."""
    with ThreadPool(1) as pool:
        return pool.apply(work)


def by_thread(work: Callable[[], Any], _: SparkSession) -> None:
    """Do work in a thread."""
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


def by_inheritable_thread(work: Callable[[], Any], spark: SparkSession) -> None:
    """Do work in a thread of Spark's."""
    # Since Spark 4 one of Connect wants to know its session.
    told = {"session": spark} if pyspark.__version__ >= "4" else {}
    thread = InheritableThread(target=work, **told)
    thread.start()
    thread.join()


@pytest.mark.parametrize("run", [by_executor, by_pool, by_thread, by_inheritable_thread])
def test_steps_and_writes_of_a_thread_are_in_the_context(
    people: DataFrame, grain: Grain, run: Callable[[Any, SparkSession], Any]
) -> None:
    counts = greatExpectations("expect_table_row_count_to_be_between")

    def work() -> None:
        people.filter("id > 1").write.format("noop").mode("overwrite").save()

    with describe("c"), risk("r", owner="o", mitigation="m"), profile(counts, ops="filter"):
        run(work, people.sparkSession)
    run(work, people.sparkSession)
    (context,) = grain("contexts")
    assert (context["n_steps"], context["risk_ids"]) == (1, ["r"])
    inside, outside = grain("sinks")
    assert [(row["sink_node"], row["risk_id"]) for row in grain("sink_risks")] == [
        (inside["node"], "r")
    ]
    assert outside["location"] == inside["location"]
    assert [row["observed"] for row in grain("expectations")] == ["2"]


def test_threads_that_write_at_once_are_one_context(
    people: DataFrame, grain: Grain, tmp_path: Path
) -> None:
    def write(group: str) -> None:
        people.filter(people.g == group).write.parquet(str(tmp_path / group))

    with describe("c"), ThreadPoolExecutor(2) as pool:
        list(pool.map(write, "xy"))
    (context,) = grain("contexts")
    assert (context["n_steps"], len(grain("sinks"))) == (1, 2)


def test_tracking_that_ends_leaves_threads_alone(spark: SparkSession) -> None:
    ours = threading.Thread.start
    trackSpark(enable=False)
    assert threading.Thread.start is not ours
    assert threading.Thread.start.__module__ == "threading"
    assert spark.version


@pytest.mark.sessions("classic")
def test_a_thread_of_a_batch_function_is_in_the_context_of_the_stream(
    spark: SparkSession, grain: Grain, tmp_path: Path
) -> None:
    def batch_function(batch: DataFrame, _: int) -> None:
        by_thread(lambda: batch.select("v").write.format("noop").mode("append").save(), spark)

    incoming = tmp_path / "incoming"
    incoming.mkdir()
    with describe("c"), risk("r"):
        stream = spark.readStream.schema("v int").option("maxFilesPerTrigger", 1)
        frame = stream.json(str(incoming))
        writer = frame.writeStream.foreachBatch(batch_function).trigger(availableNow=True)
        for number in range(2):
            (incoming / f"{number}.json").write_text('{"v": 1}')
        query = writer.option("checkpointLocation", str(tmp_path / "checkpoint")).start()
    assert query.awaitTermination(60)
    (context,) = grain("contexts")
    assert (context["n_steps"], context["risk_ids"]) == (1, ["r"])
    assert [row["risk_id"] for row in grain("sink_risks")] == ["r"]
