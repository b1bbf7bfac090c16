"""The risks that a job with Spark is told of with what it reads: tables in a catalog and in lakes."""

from __future__ import annotations

import uuid
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

import conformare as cf
from conformare.capture import _reads_told
from conformare.fleet import read_store, upstream_risks
from conformare.reader import StoreReadError
from conformare.upstream import SourceWarnings, _look

Config = dict[str, Any]


@pytest.fixture(autouse=True)
def no_store(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test begins in a process that has no store, and has warned of nothing."""
    monkeypatch.setattr(_reads_told, "_listeners", [SourceWarnings().tell])
    # On two cores that others use as well, a process takes its time to begin.
    monkeypatch.setattr(_look, "LOOK_UP_SECONDS", 60.0)


@pytest.fixture(
    params=[
        pytest.param("catalog", marks=pytest.mark.long),
        "kafka, lake",
        pytest.param("lake", marks=pytest.mark.long),
        pytest.param("kafka, catalog", marks=pytest.mark.long),
    ]
)
def store(request: pytest.FixtureRequest, spark: SparkSession, lake: str) -> Iterator[Config]:
    """The configuration of a store that Spark writes, or of one that a sink would."""
    schema = f"upstream_{uuid.uuid4().hex}"
    in_catalog = "catalog" in request.param
    tables = {"schema": schema, "table_prefix": ""} if in_catalog else {"lake": lake}
    writes = {"writer": "spark_table", "spark": spark, **tables}
    reads = {
        "writer": "kafka",
        "bootstrap_servers": "127.0.0.1:1",
        "durability": "memory",
        "exit_timeout_seconds": 0,
        "spark": spark,
        "lake": f"spark_catalog.{schema}" if in_catalog else lake,
    }
    yield {"write": writes, "read": reads if "kafka" in request.param else writes}
    if in_catalog:
        spark.sql(f"DROP SCHEMA IF EXISTS {schema} CASCADE")


def record_a_risky_write(spark: SparkSession, data: str, config: Config) -> None:
    """Record a run that writes with a risk."""
    cf.trackSpark()
    with cf.describe("clean", risks=["privacy.pii_exposure"]):
        spark.range(3).withColumnRenamed("id", "email").write.mode("overwrite").parquet(data)
    cf.record_run("orders", dest=config)
    cf.store.clear()


def told(action: Callable[[], object]) -> list[str]:
    """Return what an action warns of."""
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        action()
    return [str(one.message) for one in found if one.category is cf.UpstreamRiskWarning]


@pytest.mark.parametrize("deltalake", [True, False], ids=["deltalake", "session alone"])
def test_tables_that_spark_writes_can_be_asked(
    spark: SparkSession,
    store: Config,
    tmp_path: Path,
    deltalake: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """By another process, or by the session where that cannot; with the same answer."""
    data = str(tmp_path / "data")
    record_a_risky_write(spark, data, store["write"])
    expected = upstream_risks(read_store(store["write"]), data)
    assert expected[0]["n_risks"] == 1
    if not deltalake:

        def fails(*_what: Any, **_about: Any) -> list[Any]:
            raise StoreReadError("no deltalake")

        monkeypatch.setattr(_look, "asked", fails)
    assert cf.check_upstream_risks(data, dest=store["read"], warn=False) == expected
    assert cf.lineage() == []


def test_a_read_warns_at_its_line_and_leaves_no_trace(
    spark: SparkSession, store: Config, tmp_path: Path
) -> None:
    """The lineage is as it is without: neither a step more, nor a source."""
    data = str(tmp_path / "data")
    record_a_risky_write(spark, data, store["write"])

    def reads() -> None:
        spark.read.parquet(data).limit(1)
        spark.read.format("parquet").load(data)
        spark.sql(f"SELECT * FROM parquet.`{data}`")  # noqa: S608 - the test's own

    cf.configure_store(**store["read"])
    assert told(reads) == []
    without = [(event.op, event.kind, event.parents, event.child) for event in cf.lineage()]
    cf.store.clear()
    cf.configure_store(**store["read"], warn_on_source=True)
    with pytest.warns(cf.UpstreamRiskWarning, match="carries 1 recorded risk: 1 direct") as found:
        reads()
    warned = [one for one in found if one.category is cf.UpstreamRiskWarning]
    assert [(one.filename, one.lineno) for one in warned] == [
        (__file__, reads.__code__.co_firstlineno + 1)
    ]
    assert [(event.op, event.kind, event.parents, event.child) for event in cf.lineage()] == without


def test_a_session_that_is_stopped_or_a_table_that_is_gone_fails_no_read(
    spark: SparkSession, store: Config, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """It is logged, once."""
    data = str(tmp_path / "data")
    spark.range(1).write.parquet(data)
    cf.trackSpark()
    cf.configure_store(**store["read"], warn_on_source=True)
    assert told(lambda: spark.read.parquet(data).count()) == []
    assert told(lambda: spark.read.parquet(data).count()) == []
    assert caplog.text.count("the store cannot be read") == 1
