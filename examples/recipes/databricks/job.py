"""A Databricks job: a task of the kind "Python script", which gets its run as parameters.

--folder /Volumes/main/shop/orders --job-id {{job.id}} --run-id {{job.run_id}}
--task {{task.name}} --try {{task.execution_count}} --workspace {{workspace.url}}
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

import conformare as cf


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the task, and record its run."""
    asked = parsed(arguments)
    cf.configure_store()  # environment variables of the cluster, secrets as {{secrets/scope/key}}
    cf.trackSpark()
    spark = SparkSession.builder.getOrCreate()
    with cf.describe("Orders per day", definition_owner="Sales"):
        orders = spark.read.csv(f"{asked.folder}/orders.csv", header=True)
        daily = orders.groupBy("day").agg(F.count("id").alias("orders"))
        daily.write.mode("overwrite").parquet(f"{asked.folder}/daily")
    cf.record_run(
        "daily_orders",
        run_id=f"{asked.run_id}/{asked.task}/{asked.tried}",
        report_uri=f"https://{asked.workspace}/jobs/{asked.job_id}/runs/{asked.run_id}",
        tags={"job_id": asked.job_id, "run_id": asked.run_id, "try_number": asked.tried},
    )
    # The disk of the cluster goes with it: a run that is still in the spool then is lost.
    if undelivered := cf.flush(60):
        raise SystemExit(f"{undelivered} recorded runs were not delivered")


def parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Return the parameters of the task."""
    parser = argparse.ArgumentParser()
    for name in ("folder", "job-id", "run-id", "task", "workspace"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--try", dest="tried", default="1")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
