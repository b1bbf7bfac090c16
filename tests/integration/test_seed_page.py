"""The seed page's own snippet, as it stands: through the job's Spark session into Delta tables."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timezone
from pathlib import Path
from typing import Any

import pytest
from delta.tables import DeltaTable
from pyspark.sql import SparkSession
from support.lakes.checker import check, read_table
from support.lakes.landed import tables_in
from support.messages.records import make_record

import conformare as cf
from conformare import _stores
from conformare_schemas import ForeignTableError
from conformare_sink.broker.broker import EmbeddedBroker
from conformare_sink.landing.report import BatchReport
from conformare_sink.options import SinkOptions
from conformare_sink.status import read_status
from conformare_sink.stream.stream import SinkStream

Record = dict[str, list[dict[str, Any]]]
SCHEMA = "conformare"
FEW_ROWS = {"contexts": 2, "risks": 3}


@pytest.fixture
def schema(spark: SparkSession) -> Iterator[str]:
    """The schema of the snippet, which does not exist yet."""
    spark.sql(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE")
    yield SCHEMA
    spark.sql(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE")


def score_customers(spark: SparkSession, output: Path) -> None:
    """A pipeline that has something for every grain."""
    rows = [(1, "a@example.org", 700), (2, None, 300), (3, "c@example.org", 650)]
    customers = spark.createDataFrame(rows, "id int, email string, points int")
    with (
        cf.describe(
            "score",
            definition_owner="Credit",
            risks=[
                cf.risk("privacy.pii_exposure", mitigation="masked", owner="Privacy"),
                "quality.missing_values",
            ],
        ),
        cf.profile(
            cf.greatExpectations(("expect_column_values_to_not_be_null", {"column": "email"})),
            only="last",
        ),
    ):
        scored = customers.filter("points > 100").withColumn("good", customers["points"] > 600)
    scored.write.parquet(str(output))


def recorded(pipeline: str, run: dict[str, Any], **attributes: Any) -> Record:
    """The record of what is captured now, under the key of a run that is in a table."""
    ts = run["ts"].astimezone(timezone.utc)
    return cf.to_run_record(cf.store, pipeline, run_id=run["run_id"], ts=ts, **attributes)


def folder_of(spark: SparkSession, schema: str) -> str:
    """Where a schema's tables are."""
    detail = spark.sql(f"DESCRIBE DETAIL {schema}.runs").head()
    assert detail is not None
    return str(Path(detail["location"].removeprefix("file:")).parent)


def test_the_snippet_records_the_run_as_it_was_captured(
    spark: SparkSession, schema: str, tmp_path: Path
) -> None:
    """Every grain, field by field; what the writer does in the session is not captured."""
    cf.configure_store(
        writer="spark_table", spark=spark, catalog="spark_catalog", schema="conformare"
    )

    cf.trackSpark()
    score_customers(spark, tmp_path / "scores")

    attributes: dict[str, Any] = {
        "env": "prod",
        "git_sha": "abc123",
        "tags": {"team": "risk"},
        "report_uri": "/Volumes/gov/reports/run.html",
    }
    run_ids = [cf.record_run(pipeline="customer_scoring", **attributes)]
    # Still tracked: the tables that the first call wrote are no sinks of the pipeline.
    run_ids.append(cf.record_run(pipeline="customer_scoring", **attributes))

    cf.restore()
    lake = folder_of(spark, schema)
    rows = {row["run_id"]: row for row in read_table(lake, "runs")}
    assert set(rows) == set(run_ids)
    records = [recorded("customer_scoring", rows[run_id], **attributes) for run_id in run_ids]
    assert check(lake, records).is_sound
    assert all(records[0].values()), "every grain has rows"
    assert [row["location"] for row in records[1]["sinks"]] == [str(tmp_path / "scores")]
    assert rows[run_ids[0]]["status"] == "degraded"
    assert spark.table("spark_catalog.conformare.runs").count() == 2


def test_a_retried_job_is_recorded_once_and_a_run_is_never_changed(
    spark: SparkSession, lake: str
) -> None:
    """Skipped where asked for; otherwise too, for the first record of a run stays."""
    cf.configure_store(writer="spark_table", spark=spark, lake=lake)
    with cf.describe("score"):
        pass
    job_run_id = "job-17"
    for attempt in ("first", "second"):
        done = cf.record_run(
            "customer_scoring", run_id=job_run_id, if_run_exists="skip", title=attempt
        )
        assert done == job_run_id
    cf.record_run("customer_scoring", run_id=job_run_id, title="third", env="prod")
    (run,) = read_table(lake, "runs")
    assert (run["title"], run["env"]) == ("first", None)
    assert check(lake, [recorded("customer_scoring", run, title="first")]).is_sound
    assert len(read_table(lake, "contexts")) == 1
    # The same id in another pipeline is another run.
    cf.record_run("fraud_scoring", run_id=job_run_id, if_run_exists="skip")
    assert len(read_table(lake, "runs")) == 2


def test_one_lake_is_filled_by_both_ways(
    spark: SparkSession, broker: EmbeddedBroker, topic_prefix: str, lake: str
) -> None:
    """The job's own session and the sink; a run that comes by both ways is there once."""
    servers = broker.bootstrap_servers
    options = SinkOptions(bootstrap_servers=servers, lake=lake, topic_prefix=topic_prefix)
    directly = {"writer": "spark_table", "spark": spark, "lake": lake}
    through_kafka = {
        "writer": "kafka",
        "bootstrap_servers": servers,
        "topic_prefix": topic_prefix,
        "strict": True,
    }
    records = {run_id: make_record(run_id, rows=FEW_ROWS) for run_id in ("direct", "both", "kafka")}
    late = make_record("kafka", content="second", rows=FEW_ROWS)

    def write(dest: dict[str, Any], record: Record) -> None:
        _stores._writer_of(dest).write(record)

    def catch_up() -> None:
        reports: list[BatchReport] = []
        SinkStream(spark, options, reports.append).run_once()

    write(directly, records["direct"])
    write(directly, records["both"])
    assert read_status(tables_in(lake)).quarantined_by_cause == {}  # the sink has not been here yet
    catch_up()  # creates the topics
    write(through_kafka, records["both"])
    write(through_kafka, records["kafka"])
    catch_up()
    write(directly, late)
    assert check(lake, records.values()).is_sound
    assert read_status(tables_in(lake)).rows_by_grain["runs"] == 3


def test_a_table_of_somebody_else_is_refused_and_left_alone(
    spark: SparkSession, schema: str, lake: str
) -> None:
    """In a catalog as in a lake."""
    spark.sql(f"CREATE SCHEMA {schema}")
    spark.range(3).write.format("delta").saveAsTable(f"{schema}.owners")
    spark.range(3).write.format("delta").save(f"{lake}/owners")
    for place in ({"catalog": "spark_catalog", "schema": schema}, {"lake": lake}):
        cf.configure_store(writer="spark_table", spark=spark, **place)
        with pytest.raises(ForeignTableError, match="is not conformare's table 'owners'"):
            cf.record_run("customer_scoring")
    assert spark.table(f"{schema}.owners").count() == 3
    assert spark.read.format("delta").load(f"{lake}/owners").count() == 3


def test_rows_that_a_crash_left_are_removed_when_the_job_is_retried(
    spark: SparkSession, lake: str
) -> None:
    """As if the job had been killed between two appends of its first try."""
    writer = _stores._writer_of({"writer": "spark_table", "spark": spark, "lake": lake})
    run_id = "it's \\ a `run`"  # text that SQL gives a meaning to
    first = make_record(run_id, rows=FEW_ROWS)
    again = make_record(run_id, rows=FEW_ROWS, content="second")
    other = make_record(run_id, rows=FEW_ROWS, pipeline="another")
    writer.write(first)
    writer.write(other)
    runs = DeltaTable.forPath(spark, f"{lake}/runs")
    runs.delete("pipeline = 'pipeline'")
    writer.write(again)
    assert check(lake, [again, other]).is_sound
