"""The tables of a lake in a folder, as Spark sees them: those that it would have made itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession
from support.lakes.landed import tables_in

from conformare_schemas import path_identifier
from conformare_sink.lake.tables.definition import create_table
from conformare_sink.lake.tables.tables import LAKE_TABLES

OURS, SPARKS = "ours", "sparks"
_SPARKS_OWN = {"clusteringColumns", "id", "location", "createdAt", "lastModified"}
"""Where and when it was made; Spark's is clustered, which deltalake does not write."""


def described(spark: SparkSession, identifier: str) -> dict[str, Any]:
    """What Spark says of a table, without what is another's each time."""
    detail = spark.sql(f"DESCRIBE DETAIL {identifier}").collect()[0].asDict()
    told = {name: value for name, value in detail.items() if name not in _SPARKS_OWN}
    features = {"clustering", "domainMetadata", "appendOnly", "invariants"}
    assert set(told.pop("tableFeatures")) <= features
    del told["minWriterVersion"]
    columns = spark.sql(f"DESCRIBE {identifier}").collect()
    definition = LAKE_TABLES["runs" if identifier.endswith("runs`") else "pending"].columns
    return told | {"columns": [tuple(row) for row in columns[: len(definition)]]}


@pytest.mark.parametrize("name", ["runs", "pending"])
def test_a_table_is_as_spark_would_make_it(spark: SparkSession, tmp_path: Path, name: str) -> None:
    """Columns with types and comments, description and properties; but for the clustering."""
    create_table(tables_in(tmp_path / OURS).storage, LAKE_TABLES[name])
    sparks = path_identifier(str(tmp_path / SPARKS), name)
    spark.sql(LAKE_TABLES[name].create_sql(sparks))
    ours = described(spark, path_identifier(str(tmp_path / OURS), name))
    assert ours == described(spark, sparks)
    assert ours["properties"]["conformare.table"] == name
