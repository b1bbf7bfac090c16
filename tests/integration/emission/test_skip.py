"""`if_run_exists="skip"` with a lake that the job reads through its own session."""

from __future__ import annotations

import sys
import uuid
from pathlib import Path

import pytest
from pyspark.sql import SparkSession
from support.messages.typical import typical_store

import conformare as cf
from conformare.emission import KafkaOptions
from conformare.emission._look_up import lake_has_run

NOWHERE = "127.0.0.1:1"


@pytest.mark.parametrize("by", ["path", "catalog"])
def test_a_run_in_the_lake_is_not_recorded_again(
    spark: SparkSession,
    lake: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    by: str,
) -> None:
    """Of its own pipeline; neither tracking nor the job's Spark jobs see the look-up."""
    schema = f"skip_{uuid.uuid4().hex}"
    runs = spark.createDataFrame([("run-1", "orders")], "run_id string, pipeline string")
    if by == "path":
        runs.write.format("delta").save(f"{lake}/runs")
    else:
        spark.sql(f"CREATE SCHEMA {schema}")
        runs.write.format("delta").saveAsTable(f"{schema}.runs")
    monkeypatch.setitem(sys.modules, "deltalake", None)
    options = KafkaOptions(
        bootstrap_servers=NOWHERE,
        lake=lake if by == "path" else f"spark_catalog.{schema}",
        spark=spark,
        spool_dir=tmp_path / "spool",
        exit_timeout_seconds=0,
    )
    cf.trackSpark()
    assert lake_has_run(options, "orders", "run-1")
    assert not lake_has_run(options, "another", "run-1")
    assert not lake_has_run(options, "orders", "run-2")
    assert cf.lineage() == []
    through_kafka = {**options.model_dump(exclude={"kafka"}), "spark": spark}
    for run_id in ("run-1", "run-2"):
        skipped = cf.record_run(
            "orders",
            store=typical_store(),
            run_id=run_id,
            dest=through_kafka,
            if_run_exists="skip",
        )
        assert skipped == run_id
    waiting = list((tmp_path / "spool").rglob("*.emission"))
    assert len(waiting) == 1
    if by == "catalog":
        spark.sql(f"DROP SCHEMA {schema} CASCADE")
