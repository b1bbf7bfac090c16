"""Every time that a run may have is in the table that a job writes itself."""

from __future__ import annotations

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

import conformare as cf
from conformare.capture import Store
from conformare.record import parsed_ts
from conformare_schemas import EARLIEST_TS, LATEST_TS, micros


def test_a_run_of_any_time_is_in_its_table(spark: SparkSession, lake: str) -> None:
    """To the microsecond."""
    times = [EARLIEST_TS, parsed_ts("1969-12-31T23:59:59.999999Z"), LATEST_TS]
    dest = {"writer": "spark_table", "spark": spark, "lake": lake}
    for ts in times:
        cf.record_run("p", store=Store(), ts=ts, dest=dest)
    rows = spark.read.format("delta").load(f"{lake}/runs").select(F.unix_micros("ts")).collect()
    assert sorted(row[0] for row in rows) == [micros(ts) for ts in times]
