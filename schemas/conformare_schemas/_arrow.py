"""The tables' columns as Arrow types, for writers of Parquet files."""

from __future__ import annotations

from typing import Any

from conformare_schemas._tables import Column


def arrow_schema(columns: tuple[Column, ...]) -> Any:
    """Return the `pyarrow.Schema` of a table's columns.

    Raises:
        ImportError: pyarrow is not installed; jobs have it only where they want it.
    """
    import pyarrow as pa

    types = {
        "STRING": pa.string(),
        "BINARY": pa.binary(),
        "INT": pa.int32(),
        "BIGINT": pa.int64(),
        "BOOLEAN": pa.bool_(),
        "TIMESTAMP": pa.timestamp("us", tz="UTC"),
        "ARRAY<STRING>": pa.list_(pa.string()),
        "MAP<STRING,STRING>": pa.map_(pa.string(), pa.string()),
        "MAP<STRING,INT>": pa.map_(pa.string(), pa.int32()),
    }
    return pa.schema([(column.name, types[column.sql_type]) for column in columns])
