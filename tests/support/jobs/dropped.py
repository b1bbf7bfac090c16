"""What tests leave in a catalog is dropped."""

from __future__ import annotations

from pyspark.sql import SparkSession


def drop_tables(spark: SparkSession) -> None:
    """Drop every temporary view of a session, and every table of its current schema."""
    # A view goes first: it stands before a table of its name.
    for row in sorted(spark.sql("show tables").collect(), key=lambda row: not row.isTemporary):
        kind = "view" if row.isTemporary else "table"
        spark.sql(f"drop {kind} if exists `{row.tableName}`")
