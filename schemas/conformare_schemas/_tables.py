"""The columns of the Delta tables, derived from the contract: one definition for every writer."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from conformare_schemas._contract import GRAINS, message_schema, row_fields

KEY_COLUMNS: tuple[str, ...] = ("run_id", "pipeline", "ts")
"""Columns that every table begins with."""

EMISSION_COLUMN = "emission_id"
"""Last column of every table: which emission of the run the row is of."""

GRAIN_PROPERTY = "conformare.grain"
"""Table property by which a Delta table is known to be ours."""

_SQL_TYPES = {"string": "STRING", "int": "INT", "long": "BIGINT", "boolean": "BOOLEAN"}


@dataclass(frozen=True)
class Column:
    """One column of a Delta table: its name, its Spark SQL type and its comment."""

    name: str
    sql_type: str
    comment: str

    @property
    def ddl(self) -> str:
        """The column as it stands in a DDL string."""
        comment = self.comment.replace("\\", "\\\\").replace("'", "\\'")
        return f"`{self.name}` {self.sql_type} COMMENT '{comment}'"


def _sql_type(avro_type: Any) -> str:
    """Translate an Avro type of the contract; every column of a table is nullable."""
    if isinstance(avro_type, list):
        (value_type,) = (branch for branch in avro_type if branch != "null")
        return _sql_type(value_type)
    if isinstance(avro_type, dict):
        if avro_type.get("logicalType") == "timestamp-micros":
            return "TIMESTAMP"
        if avro_type["type"] == "array":
            return f"ARRAY<{_sql_type(avro_type['items'])}>"
        if avro_type["type"] == "map":
            return f"MAP<STRING,{_sql_type(avro_type['values'])}>"
    return _SQL_TYPES[avro_type]


@cache
def table_columns(grain: str) -> tuple[Column, ...]:
    """Return the columns of a grain's table: the run's key, the grain's own, the emission."""
    envelope = {field["name"]: field for field in message_schema(grain)["fields"]}

    def from_envelope(name: str) -> Column:
        return Column(name, _sql_type(envelope[name]["type"]), envelope[name]["doc"])

    return (
        *(from_envelope(name) for name in KEY_COLUMNS),
        *(Column(f.name, _sql_type(f.avro_type), f.doc) for f in row_fields(grain)),
        from_envelope(EMISSION_COLUMN),
    )


def table_ddl(grain: str) -> str:
    """Return the columns of a grain's table as a DDL string, as Spark reads it."""
    return ", ".join(column.ddl for column in table_columns(grain))


def table_comment(grain: str) -> str:
    """Return what one row of a grain's table is."""
    envelope = {field["name"]: field for field in message_schema(grain)["fields"]}
    comment: str = envelope["rows"]["type"]["items"]["doc"]
    return comment


CHILD_GRAINS: tuple[str, ...] = tuple(grain for grain in GRAINS if grain != "runs")
"""The grains that are written before `runs`, so that a run in `runs` is whole."""
