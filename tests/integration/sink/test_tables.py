"""The lake's tables: as Spark would have made them, in a folder or under a name in a catalog."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession
from support.produce import Topic, messages_of
from support.records import make_record
from support.store import Store

from conformare_schemas import GRAINS, ForeignTableError, path_identifier
from conformare_sink.delta_log import commit_file, create_folder_table
from conformare_sink.emission import Decision
from conformare_sink.errors import LakeRefusedError
from conformare_sink.options import CatalogOptions, SinkOptions
from conformare_sink.tables import LAKE_TABLES, LakeTables
from conformare_sink.topics import Topics


def first_commit(table: Path) -> dict[str, Any]:
    """The actions of a table's first commit, without what is another's each time."""
    lines = (table / commit_file(0)).read_text(encoding="utf-8").splitlines()
    actions: dict[str, Any] = {}
    for line in lines:
        actions |= json.loads(line)
    assert len(actions) == len(lines)
    del actions["commitInfo"], actions["metaData"]["id"], actions["metaData"]["createdTime"]
    actions["metaData"]["schemaString"] = json.loads(actions["metaData"]["schemaString"])
    return actions


@pytest.mark.parametrize("name", ["runs", "pending"])
def test_the_first_commit_is_as_sparks(spark: SparkSession, tmp_path: Path, name: str) -> None:
    """Schema and comments, description, properties, features, clustering: one with and one without."""
    create_folder_table(spark, LAKE_TABLES[name], str(tmp_path / "ours"))
    spark.sql(LAKE_TABLES[name].create_sql(path_identifier(str(tmp_path), "sparks")))
    assert first_commit(tmp_path / "ours") == first_commit(tmp_path / "sparks")


def test_a_table_whose_creation_broke_off_is_created(spark: SparkSession, tmp_path: Path) -> None:
    """The log's folder is there before its first commit; a start after that must not fail."""
    for table in LAKE_TABLES:
        (tmp_path / table / "_delta_log").mkdir(parents=True)
    assert LakeTables(spark, str(tmp_path)).open().keys() == LAKE_TABLES.keys()


def test_who_comes_second_leaves_a_table_as_it_is(spark: SparkSession, tmp_path: Path) -> None:
    """Between the look and the commit of one process, another may have created it."""
    create_folder_table(spark, LAKE_TABLES["runs"], str(tmp_path))
    there = (tmp_path / commit_file(0)).read_bytes()
    create_folder_table(spark, LAKE_TABLES["runs"], str(tmp_path))
    assert (tmp_path / commit_file(0)).read_bytes() == there


def test_a_folder_with_files_is_not_made_a_table(spark: SparkSession, tmp_path: Path) -> None:
    """Somebody's files would lie in ours."""
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(ForeignTableError, match="has files"):
        create_folder_table(spark, LAKE_TABLES["runs"], str(tmp_path))
    assert not (tmp_path / "_delta_log").exists()


@pytest.fixture
def catalog(spark: SparkSession) -> Iterator[CatalogOptions]:
    """An empty schema of Spark's own catalog."""
    schema = f"governance_{uuid.uuid4().hex[:8]}"
    spark.sql(f"CREATE SCHEMA {schema}")
    yield CatalogOptions(catalog="spark_catalog", schema_name=schema, table_prefix="cf_")
    spark.sql(f"DROP SCHEMA {schema} CASCADE")


@pytest.fixture
def catalog_store(
    spark: SparkSession, topics: Topics, topic: Topic, options: SinkOptions, catalog: CatalogOptions
) -> Store:
    """A store whose tables have names in a catalog."""
    del topics  # they are created
    return Store(spark, options.model_copy(update={"catalog": catalog}), topic)


def test_runs_land_in_the_tables_of_a_catalog(spark: SparkSession, catalog_store: Store) -> None:
    """Whole and once, also when they come again to a sink that has just started."""
    tables = LakeTables(spark, catalog_store.lake, catalog_store.options.catalog)
    records = [make_record(f"run-{n}") for n in range(2)]
    for record in records:
        catalog_store.topic.send(messages_of(record, "first"))
    assert catalog_store.catch_up()[Decision.LAND] == 2

    catalog_store.topic.send(messages_of(records[0], "again"))
    found = catalog_store.catch_up()
    assert (found[Decision.LAND], found[Decision.REPEAT]) == (0, 1)

    for grain in GRAINS:
        assert tables.read(grain).count() == sum(len(record[grain]) for record in records)
    assert not [*Path(catalog_store.lake).glob("*/_delta_log")]


def test_a_foreign_table_of_the_catalog_is_refused(
    spark: SparkSession, catalog_store: Store, catalog: CatalogOptions
) -> None:
    """It is named, and left as it was."""
    name = f"{catalog.schema_name}.cf_runs"
    spark.sql(f"CREATE TABLE {name} (run_id STRING) USING DELTA")
    with pytest.raises(LakeRefusedError, match="cf_runs"):
        catalog_store.catch_up()
    assert spark.table(name).columns == ["run_id"]
