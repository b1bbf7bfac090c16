"""A streaming job: one recorded run for every batch that has rows. `spark-submit … FOLDER`."""

from __future__ import annotations

import sys

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.streaming.query import StreamingQuery

import conformare as cf


def start(spark: SparkSession, folder: str) -> StreamingQuery:
    """Start the stream."""
    orders = spark.readStream.schema("id STRING, day STRING").csv(f"{folder}/incoming", header=True)

    def land(batch: DataFrame, batch_id: int) -> None:
        if batch.isEmpty():
            return
        with cf.describe("Landing", definition_owner="Sales"):
            batch.write.mode("append").parquet(f"{folder}/landed")
        # A batch that Spark repeats after a crash has the same number, so it is one run.
        cf.record_run(
            "orders_stream",
            run_id=f"{query_name}-{batch_id}",
            if_run_exists="skip",
            tags={"batch_id": batch_id},
        )

    query_name = "orders"
    return (
        orders.writeStream.queryName(query_name)
        .option("checkpointLocation", f"{folder}/checkpoint")
        .trigger(availableNow=True)
        .foreachBatch(land)
        .start()
    )


if __name__ == "__main__":
    cf.configure_store()
    cf.trackSpark()
    start(SparkSession.builder.getOrCreate(), sys.argv[1]).awaitTermination()
    cf.flush()
