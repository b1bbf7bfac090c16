"""A lake by a path without a scheme, where Spark's default file system is not this machine's."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from conformare_sink.lake.scan import PLACE_DIGEST, read_digests
from pyspark.sql import SparkSession

from conformare_sink.lake.lake import open_for_writing
from conformare_sink.lake.tables.own import QUARANTINE
from conformare_sink.lake.tables.tables import LakeTables
from conformare_sink.lake.writer.lease import LEASE_FILE


@pytest.fixture
def elsewhere(spark: SparkSession, tmp_path: Path) -> Iterator[Path]:
    """Make a view the default file system, and return where in it a path of this machine leads."""
    hadoop = spark.sparkContext._jsc.hadoopConfiguration()
    view, place = f"v{uuid.uuid4().hex}", tmp_path / "elsewhere"
    link, default = f"fs.viewfs.mounttable.{view}.link.{tmp_path}/here", hadoop.get("fs.defaultFS")
    place.mkdir()
    spark.sql("SHOW TABLES").collect()  # where the warehouse is, is settled at the first question
    hadoop.set(link, place.as_uri())
    hadoop.set("fs.defaultFS", f"viewfs://{view}/")
    yield place
    hadoop.set("fs.defaultFS", default)
    hadoop.unset(link)


def test_all_of_a_lake_is_where_spark_finds_its_path(
    spark: SparkSession, elsewhere: Path, tmp_path: Path
) -> None:
    """It has the lock of that file system, too."""
    tables = LakeTables(spark, str(tmp_path / "here" / "lake"))
    with open_for_writing(tables, "a test"):
        assert (elsewhere / "lake" / LEASE_FILE).exists()
    assert (elsewhere / "lake" / "runs").is_dir()
    assert tables.read("runs").isEmpty()
    assert len(read_digests(tables, QUARANTINE.name, PLACE_DIGEST)) == 0
    assert not (tmp_path / "here").exists()
