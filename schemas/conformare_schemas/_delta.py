"""Opening a Delta table of ours: created where missing, refused where it is somebody else's.

The job's `spark_table` writer and the sink open their tables here, so a store may be filled by both.
"""

from __future__ import annotations

from typing import Any

from conformare_schemas._tables import OWNER_PROPERTY, TableDefinition


class ForeignTableError(ValueError):
    """A table or folder of that name exists and is not ours; it is left as it is."""


def open_table(spark: Any, table: TableDefinition, identifier: str) -> None:
    """Create a table where it does not exist, and make sure that it is ours where it does.

    Args:
        spark: The job's or the sink's `SparkSession`, with Delta.
        table: What the table is.
        identifier: Quoted SQL name, from `path_identifier` or `table_identifier`.

    Raises:
        ForeignTableError: Something else has that name already.
    """
    _create(spark, table, identifier)
    properties = {row["key"]: row["value"] for row in _properties(spark, identifier)}
    if properties.get(OWNER_PROPERTY) != table.name:
        raise ForeignTableError(
            f"{identifier} exists and is not conformare's table {table.name!r}; choose another place"
        )


def _create(spark: Any, table: TableDefinition, identifier: str) -> None:
    from pyspark.errors import AnalysisException

    try:
        spark.sql(table.create_sql(identifier))
    except AnalysisException as exc:
        condition = exc.getCondition()
        if condition in _OCCUPIED:
            raise ForeignTableError(
                f"{identifier} exists and is not a conformare table; choose another place"
            ) from exc
        raise


def _properties(spark: Any, identifier: str) -> list[Any]:
    rows: list[Any] = spark.sql(f"SHOW TBLPROPERTIES {identifier}").collect()
    return rows


_OCCUPIED = frozenset(
    {
        "DELTA_CREATE_TABLE_WITH_NON_EMPTY_LOCATION",
        "DELTA_CREATE_TABLE_SCHEME_MISMATCH",
    }
)
"""Error conditions of Delta that say: there is something else at this place."""
