"""The lake's tables: as Spark would have made them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from conformare_sink.lake.delta_log import commit_file, create_folder_table
from pyspark.sql import SparkSession

from conformare_schemas import ForeignTableError, path_identifier
from conformare_sink.lake.tables.tables import LAKE_TABLES, LakeTables


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
