"""Where a session's tables lie, and which log store it commits through: as a real Spark has it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

import conformare as cf
from conformare.writers import make_writer

LOCKING = "io.delta.storage.S3DynamoDBLogStore"
OF_S3A = "spark.delta.logStore.s3a.impl"
REFUSED = r"spark\.delta\.logStore\.s3a\.impl"

Start = Callable[[str, str], None]


@pytest.fixture
def started_with(classic: SparkSession) -> Iterator[Start]:
    """Gives Spark a setting as if it had been started with it."""
    conf = classic.sparkContext._jsc.sc().conf()
    given: list[str] = []

    def give(name: str, value: str) -> None:
        given.append(name)
        conf.set(name, value)

    yield give
    for name in given:
        conf.remove(name)


@pytest.fixture
def bucket_on_disk(classic: SparkSession, tmp_path: Path) -> Iterator[str]:
    """A bucket whose objects are files of this machine, at `s3a://` for all of the session."""
    bucket = tmp_path.name.replace("_", "-")
    settings = {
        "fs.s3a.impl": "org.apache.hadoop.fs.viewfs.ViewFileSystemOverloadScheme",
        "fs.viewfs.overload.scheme.target.s3a.impl": "org.apache.hadoop.fs.LocalFileSystem",
        f"fs.viewfs.mounttable.{bucket}.linkFallback": tmp_path.as_uri(),
    }
    hadoop = classic._jsparkSession.sharedState().hadoopConf()
    for name, value in settings.items():
        hadoop.set(name, value)
    yield f"s3a://{bucket}"
    for name in settings:
        hadoop.unset(name)


def make(spark: SparkSession, **options: Any) -> None:
    """Make the writer, as `configure_store` does."""
    make_writer({"writer": "spark_table", "spark": spark, **options})


def log_store_of_delta(spark: SparkSession, location: str) -> str:
    """The class that Delta itself would commit through."""
    jvm = spark.sparkContext._jvm
    assert jvm is not None
    companion = getattr(jvm.org.apache.spark.sql.delta.storage, "LogStore$")
    store = getattr(companion, "MODULE$").apply(spark._jsparkSession)
    if store.getClass().getSimpleName() == "DelegatingLogStore":
        store = store.getDelegate(jvm.org.apache.hadoop.fs.Path(location))
    name: str = store.logStoreImpl().getClass().getName()
    return name


def test_only_what_spark_was_started_with_chooses_the_log_store(
    classic: SparkSession, started_with: Start
) -> None:
    """Delta reads nothing else: a setting of the session would be believed in vain."""
    other = "io.delta.storage.HDFSLogStore"  # one that is on the class path
    classic.conf.set(OF_S3A, other)
    assert log_store_of_delta(classic, "s3a://b/l") != other
    started_with(OF_S3A, other)
    assert log_store_of_delta(classic, "S3A://b/l") == other
    classic.conf.set(OF_S3A, LOCKING)
    with pytest.raises(cf.StoreConfigurationError, match=REFUSED):
        make(classic, lake="s3a://b/lake")
    classic.conf.unset(OF_S3A)
    started_with(OF_S3A, LOCKING)
    make(classic, lake="s3a://b/lake")


def test_the_log_store_of_all_schemes_counts_too(
    classic: SparkSession, started_with: Start
) -> None:
    """As before Delta 1.0."""
    started_with("spark.delta.logStore.class", LOCKING)
    make(classic, lake="s3a://b/lake")


def test_a_path_without_a_scheme_is_where_the_default_file_system_is(
    classic: SparkSession, lake: str
) -> None:
    """That may be a bucket."""
    make(classic, lake=lake)
    classic.conf.set("fs.defaultFS", "s3a://bucket")
    try:
        with pytest.raises(cf.StoreConfigurationError, match=REFUSED):
            make(classic, lake=lake)
    finally:
        classic.conf.unset("fs.defaultFS")


def test_a_schema_of_sparks_own_catalog_lies_where_it_was_made(
    classic: SparkSession, bucket_on_disk: str
) -> None:
    """The session's current one, too."""
    make(classic)
    classic.sql(f"CREATE SCHEMA on_s3 LOCATION '{bucket_on_disk}/on_s3'")
    try:
        for options in ({"schema": "on_s3"}, {"schema": "on_s3", "catalog": "spark_catalog"}):
            with pytest.raises(cf.StoreConfigurationError, match=f"schema: .*{REFUSED}"):
                make(classic, **options)
        classic.sql("USE on_s3")
        with pytest.raises(cf.StoreConfigurationError, match=f"schema: .*{REFUSED}"):
            make(classic)
    finally:
        classic.sql("USE default")
        classic.sql("DROP SCHEMA on_s3")


def test_a_connect_session_answers_without_java_in_this_process(
    connect: SparkSession, lake: str
) -> None:
    """What can be asked of it are its settings and its catalog."""
    make(connect, schema="conformare_of_connect")
    make(connect, lake=lake)
    with pytest.raises(cf.StoreConfigurationError, match=REFUSED):
        make(connect, lake="s3a://b/lake")
    connect.conf.set("fs.defaultFS", "s3a://bucket")
    with pytest.raises(cf.StoreConfigurationError, match=REFUSED):
        make(connect, lake=lake)
    connect.conf.set(OF_S3A, LOCKING)
    make(connect, lake=lake)
    connect.conf.unset(OF_S3A)
    connect.conf.unset("fs.defaultFS")
