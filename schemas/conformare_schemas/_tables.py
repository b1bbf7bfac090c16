"""The columns of the Delta tables, derived from the contract: one definition for every writer."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import takewhile
from typing import Any

from conformare_schemas._contract import RUN_GRAINS, message_schema, row_fields
from conformare_schemas._naming import BY_PATH

KEY_COLUMNS: tuple[str, ...] = ("run_id", "pipeline", "ts")
"""Columns that every table of a run's grain begins with."""

EMISSION_COLUMN = "emission_id"
"""Last column of every table: which emission of the run the row is of."""

OWNER_PROPERTY = "conformare.table"
"""Table property by which a Delta table is known to be ours; its value is the table's name."""

LAKE_PROPERTY = "conformare.lake"
"""Table property of a table in a catalog: folder of the lake that it is of, for the lake's lock is there."""

_SQL_TYPES = {"string": "STRING", "int": "INT", "long": "BIGINT", "boolean": "BOOLEAN"}


CLUSTERING_COLUMNS: tuple[str, ...] = ("pipeline", "ts", "run_id")
"""Maintenance puts rows that are near in these into one file: a pipeline over time, a run by its id."""

SKIPPING_COLUMNS: tuple[str, ...] = KEY_COLUMNS
"""Columns of which each file's smallest and largest value is kept: what readers look runs up by."""


@dataclass(frozen=True)
class Column:
    """One column of a Delta table: its name, its Spark SQL type and its comment."""

    name: str
    sql_type: str
    comment: str

    @property
    def ddl(self) -> str:
        """The column as it stands in a DDL string."""
        return f"`{self.name}` {self.sql_type} COMMENT {_sql_text(self.comment)}"


def _sql_text(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


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
def key_columns(grain: str) -> tuple[str, ...]:
    """Return the columns that a grain's table begins with: what its messages say of all their rows."""
    names = (field["name"] for field in message_schema(grain)["fields"])
    return tuple(takewhile(lambda name: name != EMISSION_COLUMN, names))


@cache
def table_columns(grain: str) -> tuple[Column, ...]:
    """Return the columns of a grain's table: its key, its own, the emission."""
    envelope = {field["name"]: field for field in message_schema(grain)["fields"]}

    def from_envelope(name: str) -> Column:
        return Column(name, _sql_type(envelope[name]["type"]), envelope[name]["doc"])

    return (
        *(from_envelope(name) for name in key_columns(grain)),
        *(Column(f.name, _sql_type(f.avro_type), f.doc) for f in row_fields(grain)),
        from_envelope(EMISSION_COLUMN),
    )


@dataclass(frozen=True)
class TableDefinition:
    """A Delta table of ours: its name, what one row is, and its columns in order."""

    name: str
    comment: str
    columns: tuple[Column, ...]
    clustering: tuple[str, ...] = ()
    skipping: tuple[str, ...] = ()
    """Columns whose smallest and largest value per file are kept; empty for the first 32."""
    lake: str | None = None
    """Folder of the lake that the table is of, if it has to be remembered."""

    @property
    def properties(self) -> dict[str, str]:
        """The table's properties, by name."""
        properties = {
            OWNER_PROPERTY: self.name,
            # A commit every second or two: a checkpoint of the log every few minutes.
            "delta.checkpointInterval": "100",
            # Beyond it, the log's files are removed when a checkpoint is made; time travel ends.
            "delta.logRetentionDuration": "interval 7 days",
        }
        if self.lake is not None:
            properties[LAKE_PROPERTY] = self.lake
        if self.skipping:
            properties["delta.dataSkippingStatsColumns"] = ",".join(self.skipping)
        return properties

    @property
    def schema_ddl(self) -> str:
        """The columns as Spark reads a schema."""
        return ", ".join(column.ddl for column in self.columns)

    def create_sql(self, identifier: str) -> str:
        """Return the statement that creates the table where it does not exist.

        Args:
            identifier: Quoted SQL name, from `path_identifier` or `table_identifier`.
        """
        properties = ", ".join(
            f"{_sql_text(name)} = {_sql_text(value)}" for name, value in self.properties.items()
        )
        # A lake's folder is deltalake's to write, which knows no clustering.
        is_clustered = self.clustering and not identifier.startswith(BY_PATH)
        # In quotes: Delta takes `location` for a clause otherwise.
        columns = ", ".join(f"`{name}`" for name in self.clustering)
        clustering = f"CLUSTER BY ({columns}) " if is_clustered else ""
        return (
            f"CREATE TABLE IF NOT EXISTS {identifier} ({self.schema_ddl}) USING DELTA "
            f"{clustering}COMMENT {_sql_text(self.comment)} TBLPROPERTIES ({properties})"
        )

    def claim_sql(self, identifier: str) -> str:
        """Return the statement that makes a table that is there remember the lake.

        Args:
            identifier: Quoted SQL name, from `table_identifier`.
        """
        properties = f"{_sql_text(LAKE_PROPERTY)} = {_sql_text(self.properties[LAKE_PROPERTY])}"
        return f"ALTER TABLE {identifier} SET TBLPROPERTIES ({properties})"


def grain_table(grain: str) -> TableDefinition:
    """Return the definition of a grain's table."""
    envelope = {field["name"]: field for field in message_schema(grain)["fields"]}
    comment: str = envelope["rows"]["type"]["items"]["doc"]
    return TableDefinition(
        grain,
        comment,
        table_columns(grain),
        clustering=CLUSTERING_COLUMNS if grain in RUN_GRAINS else key_columns(grain),
        skipping=key_columns(grain),
    )


CHILD_GRAINS: tuple[str, ...] = tuple(grain for grain in RUN_GRAINS if grain != "runs")
"""The grains that are written before `runs`, so that a run in `runs` is whole."""


def acknowledgements_table() -> TableDefinition:
    """Return the definition of the table in which people note that they have reviewed a drift."""
    key = [column for column in table_columns("runs") if column.name in KEY_COLUMNS]
    return TableDefinition(
        "acknowledgements",
        "One drift of a context that somebody has reviewed. Rows are only appended, and go with "
        "their run.",
        (
            *key,
            Column("context_label", "STRING", "Label of the context that drifted in that run."),
            Column("impl_hash", "STRING", "Fingerprint of its implementation in that run."),
            Column("risk_hash", "STRING", "Fingerprint of its risks in that run."),
            Column("acknowledged_by", "STRING", "Who has reviewed it."),
            Column("acknowledged_at", "TIMESTAMP", "When, UTC."),
            Column("note", "STRING", "What they say of it."),
        ),
        clustering=CLUSTERING_COLUMNS,
        skipping=SKIPPING_COLUMNS,
    )
