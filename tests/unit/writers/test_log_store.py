"""The `spark_table` writer refuses tables on S3, unless Delta's commits are safe there."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

import conformare as cf
from conformare.writers import make_writer

LOCKING = "io.delta.storage.S3DynamoDBLogStore"


@pytest.fixture(autouse=True)
def no_databricks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever this machine is."""
    monkeypatch.delenv("DATABRICKS_RUNTIME_VERSION", raising=False)


def session(settings: dict[str, str] | None = None, **catalog: Any) -> Any:
    """As much of a session as is asked for where tables lie; a real one is in the integration tests."""
    known = settings or {}
    return SimpleNamespace(
        sql=None,
        conf=known,
        sparkContext=SimpleNamespace(getConf=lambda: known),
        catalog=SimpleNamespace(
            currentCatalog=lambda: catalog.get("current", "spark_catalog"),
            currentDatabase=lambda: "default",
            databaseExists=lambda name: name in catalog.get("schemas", {}),
            getDatabase=lambda name: SimpleNamespace(locationUri=catalog["schemas"][name]),
        ),
    )


def make(spark: Any, **options: Any) -> None:
    """Make the writer, as `configure_store` does."""
    make_writer({"writer": "spark_table", "spark": spark, **options})


@pytest.mark.parametrize(
    ("lake", "setting"),
    [
        ("s3://b/lake", "spark.delta.logStore.s3.impl"),
        ("s3a://b/lake", "spark.delta.logStore.s3a.impl"),
        ("s3n://b/lake", "spark.delta.logStore.s3n.impl"),
        ("S3A://b/lake", "spark.delta.logStore.s3a.impl"),
        ("s3a:/b/lake", "spark.delta.logStore.s3a.impl"),
    ],
)
def test_a_lake_on_s3_is_refused_in_a_line_that_names_the_ways_out(lake: str, setting: str) -> None:
    """A log store that locks, a catalog, Kafka."""
    with pytest.raises(cf.StoreConfigurationError, match=f" {setting}={LOCKING} ") as caught:
        make(session(), lake=lake)
    text = str(caught.value)
    assert "'spark_table' cannot be made: lake: " in text
    assert "catalog that coordinates commits" in text
    assert 'writer="kafka"' in text
    assert "\n" not in text


def test_it_is_refused_from_the_environment_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials in it are not quoted."""
    monkeypatch.setenv("CONFORMARE_LAKE", "s3a://key:secret@b/lake")
    with pytest.raises(cf.StoreConfigurationError, match="lake: on s3a://") as caught:
        make(session())
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "lake",
    ["abfss://c@a.dfs.core.windows.net/l", "wasbs://c@a/l", "gs://b/l", "hdfs://n/l", "file:/l"],
)
def test_where_delta_puts_if_absent_nothing_is_refused(lake: str) -> None:
    """Its own log stores do, elsewhere than on S3."""
    make(session(), lake=lake)


@pytest.mark.parametrize(
    "settings",
    [
        {"spark.delta.logStore.s3a.impl": LOCKING},
        {"delta.logStore.s3a.impl": LOCKING},
        {"spark.delta.logStore.class": LOCKING},
        {"spark.delta.logStore.s3a.impl": "com.example.LockingLogStore"},
        {"spark.databricks.clusterUsageTags.clusterId": "0101-abc"},
    ],
)
def test_a_session_whose_commits_are_safe_may_write_to_s3(settings: dict[str, str]) -> None:
    """Its log store locks, or it is Databricks' own."""
    make(session(settings), lake="s3a://b/lake")


def test_a_job_on_databricks_may_write_to_s3(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its runtime says so in the environment of every job and notebook."""
    monkeypatch.setenv("DATABRICKS_RUNTIME_VERSION", "17.3")
    make(session(), lake="s3a://b/lake")


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"spark.delta.logStore.s3.impl": LOCKING}, "s3a.impl"),
        ({"spark.delta.logStore.s3a.impl": "io.delta.storage.S3SingleDriverLogStore"}, "s3a.impl"),
        ({"spark.delta.logStore.s3a.impl": "io.delta.storage.HDFSLogStore"}, "s3a.impl"),
        ({"spark.delta.logStore.s3a.impl": "io.delta.storage.GCSLogStore"}, "s3a.impl"),
        (
            {
                "spark.delta.logStore.class": (
                    "org.apache.spark.sql.delta.storage.S3SingleDriverLogStore"
                )
            },
            "class",
        ),
    ],
)
def test_a_log_store_that_does_not_lock_on_s3_is_none(settings: dict[str, str], named: str) -> None:
    """Nor is that of another scheme; the one that Delta would use is named."""
    with pytest.raises(cf.StoreConfigurationError, match=rf"spark\.delta\.logStore\.{named}="):
        make(session(settings), lake="s3a://b/lake")


@pytest.mark.parametrize("options", [{}, {"catalog": "SPARK_CATALOG"}, {"schema": "default"}])
def test_a_schema_on_s3_in_sparks_own_catalog_is_refused(options: dict[str, str]) -> None:
    """That catalog has no say in Delta's commits."""
    spark = session(schemas={"`spark_catalog`.`default`": "s3a://b/warehouse"})
    with pytest.raises(cf.StoreConfigurationError, match=r"schema: on s3a://"):
        make(spark, **options)


def test_a_schema_that_is_to_be_made_lies_in_the_warehouse() -> None:
    """Which may be on S3."""
    warehouse = {"spark.sql.warehouse.dir": "s3://b/warehouse"}
    with pytest.raises(cf.StoreConfigurationError, match=r"schema: on s3://"):
        make(session(warehouse), schema="new")
    make(session({"spark.sql.warehouse.dir": "file:/w"}), schema="new")


@pytest.mark.parametrize(
    ("settings", "options"),
    [
        ({}, {"catalog": "unity", "schema": "s"}),
        ({"spark.sql.catalog.spark_catalog": "io.unitycatalog.spark.UCSingleCatalog"}, {}),
    ],
)
def test_another_catalog_is_taken_at_its_word(
    settings: dict[str, str], options: dict[str, str]
) -> None:
    """It may coordinate commits; where its tables lie is its own affair."""
    make(session({**settings, "spark.sql.warehouse.dir": "s3://b/warehouse"}), **options)
