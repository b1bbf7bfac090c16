"""A Spark job: `spark-submit daily_orders.py FOLDER`."""

from __future__ import annotations

import os
import sys

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

import conformare as cf


def count_orders(spark: SparkSession, folder: str) -> None:
    """Count the orders of each day."""
    with cf.describe("Orders per day", purpose="sales report", definition_owner="Sales"):
        orders = spark.read.csv(f"{folder}/orders.csv", header=True)
        daily = orders.groupBy("day").agg(F.count("id").alias("orders"))
        daily.write.mode("overwrite").parquet(f"{folder}/daily")


def main(folder: str) -> None:
    """Run the job, and record its run."""
    cf.configure_store()  # CONFORMARE_WRITER and the others say where to
    cf.trackSpark()
    spark = SparkSession.builder.appName("daily_orders").getOrCreate()
    count_orders(spark, folder)
    cf.record_run(
        "daily_orders",
        # The scheduler's id, where it gives one: a job that is repeated is then one run.
        run_id=os.environ.get("JOB_RUN_ID"),
        if_run_exists="skip",
        tags={"spark_app_id": spark.sparkContext.applicationId},
    )
    cf.flush()


if __name__ == "__main__":
    main(sys.argv[1])
