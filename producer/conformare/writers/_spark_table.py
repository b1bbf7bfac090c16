"""The table writer: appends a run to the Delta tables through the job's own Spark session."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from conformare._errors import StoreConfigurationError
from conformare._identity import new_emission_id
from conformare._options import JobsSession, WriterOptions
from conformare._run_writer import RunRecord, is_declaration
from conformare.capture import untracked
from conformare.record import parsed_ts
from conformare.writers._log_store import tables_location, unsafe_commits
from conformare_schemas import (
    CHILD_GRAINS,
    EMISSION_COLUMN,
    RUN_GRAINS,
    SOURCE_RISKS,
    TableDefinition,
    grain_table,
    open_table,
    path_identifier,
    table_identifier,
)
from conformare_schemas.settings import LAKE, Catalog, Schema, TablePrefix


class SparkTableOptions(WriterOptions):
    """Where the tables are: in a catalog, or in a lake that is addressed by path."""

    writer: Literal["spark_table"] = "spark_table"
    spark: JobsSession = Field(repr=False)
    catalog: Catalog = None
    schema_: Schema = Field(default=None, alias="schema")
    table_prefix: TablePrefix = ""
    lake: Annotated[str | None, LAKE] = Field(default=None, repr=False)

    @model_validator(mode="after")
    def _one_session_one_place(self) -> SparkTableOptions:
        if self.lake and (self.catalog or self.schema_ or self.table_prefix):
            raise ValueError("give either lake or catalog, schema and table_prefix")
        if not hasattr(self.spark, "sql"):
            raise ValueError("spark must be the job's SparkSession")
        return self

    def identifier(self, table: str) -> str:
        """Return the quoted SQL name of a table."""
        if self.lake:
            return path_identifier(self.lake, table)
        return table_identifier(
            table, catalog=self.catalog, schema=self.schema_, table_prefix=self.table_prefix
        )

    @property
    def schema_identifier(self) -> str | None:
        """The quoted SQL name of the schema, where one was named."""
        if not self.schema_:
            return None
        return table_identifier(self.schema_, schema=self.catalog)


class SparkTableWriter:
    """Appends each record to one Delta table per grain, `runs` last; the first record of a run stays.

    Args:
        options: The session, and where the tables are.

    Raises:
        StoreConfigurationError: Commits there may overwrite those of another writer.
    """

    def __init__(self, options: SparkTableOptions) -> None:
        _refuse_unsafe_commits(options)
        self._options = options
        self._spark = options.spark
        self._opened: set[str] = set()

    def write(self, record: RunRecord) -> None:
        """Append the record, unless its run is there already.

        Rows that a crash of an earlier try left without their run are removed first.

        Raises:
            ForeignTableError: A table of that name exists and is not ours.
        """
        if is_declaration(record):
            with untracked():
                self._open(SOURCE_RISKS)
                self._append(SOURCE_RISKS, record[SOURCE_RISKS], new_emission_id())
            return
        run = record["runs"][0]
        with untracked():
            self._open(*RUN_GRAINS)
            if self.has_run(run["pipeline"], run["run_id"]):
                return
            emission_id = new_emission_id()
            for grain in CHILD_GRAINS:
                self._remove_leftovers(grain, run["pipeline"], run["run_id"])
                self._append(grain, record[grain], emission_id)
            self._append("runs", record["runs"], emission_id)

    def has_run(self, pipeline: str, run_id: str) -> bool:
        """Return whether the run is in the store, whole."""
        with untracked():
            self._open(*RUN_GRAINS)
            return not self._rows_of("runs", pipeline, run_id).isEmpty()

    def _open(self, *grains: str) -> None:
        if self._opened.issuperset(grains):
            return
        schema = self._options.schema_identifier
        if schema is not None:
            self._spark.sql(f"CREATE SCHEMA IF NOT EXISTS {schema}")
        for grain in grains:
            open_table(self._spark, grain_table(grain), self._options.identifier(grain))
        self._opened.update(grains)

    def _rows_of(self, grain: str, pipeline: str, run_id: str) -> Any:
        from pyspark.sql import functions as F

        table = self._spark.table(self._options.identifier(grain))
        return table.where((F.col("run_id") == run_id) & (F.col("pipeline") == pipeline))

    def _remove_leftovers(self, grain: str, pipeline: str, run_id: str) -> None:
        if not self._rows_of(grain, pipeline, run_id).isEmpty():
            table = self._options.identifier(grain)
            key = f"run_id = {_sql_literal(run_id)} AND pipeline = {_sql_literal(pipeline)}"
            self._spark.sql(f"DELETE FROM {table} WHERE {key}")  # noqa: S608 - quoted and encoded

    def _append(self, grain: str, rows: list[dict[str, Any]], emission_id: str) -> None:
        if not rows:
            return
        table = grain_table(grain)
        values = [_values(table, row, emission_id) for row in rows]
        frame = self._spark.createDataFrame(values, table.schema_ddl)
        frame.coalesce(1).writeTo(self._options.identifier(grain)).append()


def _refuse_unsafe_commits(options: SparkTableOptions) -> None:
    location = options.lake or tables_location(options.spark, options.catalog, options.schema_)
    cause = unsafe_commits(options.spark, location) if location else None
    if cause:
        place = "lake" if options.lake else "schema"
        raise StoreConfigurationError(f"the writer 'spark_table' cannot be made: {place}: {cause}")


def _sql_literal(text: str) -> str:
    """Return any text as an SQL expression: Delta's DELETE takes no parameters."""
    return f"CAST(X'{text.encode().hex()}' AS STRING)"


def _values(table: TableDefinition, row: dict[str, Any], emission_id: str) -> tuple[Any, ...]:
    typed = {**row, "ts": parsed_ts(row["ts"]), EMISSION_COLUMN: emission_id}
    return tuple(typed[column.name] for column in table.columns)
