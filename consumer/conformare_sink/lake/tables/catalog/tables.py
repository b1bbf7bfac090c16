"""Tables that have names in a catalog: made, asked and written by Spark's own Delta.

The catalog may have a say in who reads and in every commit, so nothing goes past it. Spark's writer
carries one application transaction at most; how far the topics were read is therefore a note in the
lake's folder, written behind each commit of `runs`.
"""

from __future__ import annotations

import json
import math
import shlex
from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from hashlib import md5

import pyarrow as pa
from pyspark.errors import AnalysisException
from pyspark.sql import SparkSession

from conformare_schemas import (
    LAKE_PROPERTY,
    ForeignTableError,
    TableDefinition,
    open_table,
    table_identifier,
)
from conformare_sink.errors import (
    LakeRefusedError,
    TableReadError,
    first_line,
)
from conformare_sink.lake.layout import ARRIVALS, LOG
from conformare_sink.lake.store.storage import Storage
from conformare_sink.lake.tables.catalog.note import in_a_catalog, read_note, write_note
from conformare_sink.lake.tables.catalog.table import FAULTS, CatalogTable, newest_commit, table_id
from conformare_sink.lake.tables.tables import (
    LAKE_TABLES,
    ROWS_AT_ONCE,
    TABLES_AT_ONCE,
    Changes,
    Table,
    Version,
)
from conformare_sink.options import CatalogOptions


class CatalogTables:
    """The tables of a lake that have names in a catalog.

    Args:
        spark: The session, whose catalog it is.
        storage: The lake's folder, which has the lock and the notes.
        catalog: Where the tables are.
    """

    dialect = "spark"

    def __init__(self, spark: SparkSession, storage: Storage, catalog: CatalogOptions) -> None:
        self.storage = storage
        # Not beside the lake's notes: a catalog may well keep its tables in folders there.
        self.arrivals = Storage(storage.location(ARRIVALS), storage.given)
        self._spark = spark
        self._catalog = catalog

    def require_place(self) -> None:
        """Make sure that the tables have a schema, and the lake's folder does not have them elsewhere.

        Raises:
            LakeRefusedError: It has, or they have none.
        """
        noted = read_note(self.storage)
        if noted is not None:
            if noted != self._whole_catalog():
                raise in_a_catalog(self.storage.root, noted)
        elif self.storage.names(f"runs/{LOG}"):
            raise LakeRefusedError(
                f"the tables of {self.storage.root} are folders in it: leave out --catalog, --schema "
                "and --table-prefix"
            )
        self._require_schema()

    def need_empty_folder(self) -> bool:
        """Return whether they are made in the lake's folder: they are not."""
        return False

    def exist(self, table: str = "runs") -> bool:
        """Return whether there is a table."""
        return self._spark.catalog.tableExists(self._catalog.identifier(table))

    def lake_id(self) -> str:
        """Return the identity of the lake."""
        return table_id(self._spark, self._catalog.identifier("runs"))

    def open(self) -> dict[str, Table]:
        """Open all tables for writing, made where they are missing, with every column of ours."""
        runs, *others = LAKE_TABLES.values()
        opened: dict[str, Table] = {runs.name: self._open(runs)}
        with ThreadPoolExecutor(TABLES_AT_ONCE, "open") as pool:
            names = [table.name for table in others]
            opened.update(zip(names, pool.map(self._open, others), strict=True))
        # What others change from now on is asked of this one.
        opened[runs.name].changed_by_others()
        # After the tables, so that a schema that does not exist is not noted.
        if read_note(self.storage) is None:
            write_note(self.storage, self._whole_catalog())
        return opened

    def select(self, sql: str, *tables: str) -> Iterator[pa.Table]:
        """Return what a query finds, in portions that Spark's driver can hold."""
        named = ", ".join(f"{name} AS (TABLE {self._catalog.identifier(name)})" for name in tables)
        try:
            found = self._spark.sql(f"WITH {named} {sql}")
            n_portions = max(1, math.ceil(found.count() / ROWS_AT_ONCE))
            if n_portions == 1:
                yield found.toArrow()
                return
            for portion in found.randomSplit([1.0] * n_portions, seed=0):
                yield portion.toArrow()
        except FAULTS as exc:
            raise TableReadError(self.storage.root, ", ".join(tables), first_line(exc)) from exc

    def version(self, table: str, number: int | None = None) -> Version | None:
        """Return the newest version of a table; None where another one is named."""
        newest = newest_commit(self._spark, self._catalog.identifier(table))
        if number not in (None, newest["version"]):
            return None
        told = json.dumps(newest, default=str, sort_keys=True)
        return Version(newest["version"], md5(told.encode(), usedforsecurity=False).hexdigest())

    def changes_since(
        self,
        table: str,
        number: int,
        columns: Collection[str],  # noqa: ARG002 - the catalog has the say in what is read
    ) -> Changes | None:
        """Return that nothing has changed; None where there is a newer version."""
        newest = newest_commit(self._spark, self._catalog.identifier(table))["version"]
        return Changes(number, lambda: iter(()), None) if newest == number else None

    def _require_schema(self) -> None:
        schema = table_identifier(
            "", catalog=self._catalog.catalog, schema=self._catalog.schema_name
        )
        try:
            self._spark.sql(f"DESCRIBE SCHEMA {schema}")
        except AnalysisException as exc:
            raise LakeRefusedError(
                f"the schema {schema} cannot be used: {first_line(exc)}"
            ) from exc

    def _whole_catalog(self) -> CatalogOptions:
        """Where the tables are, also for a session that has another current catalog."""
        if self._catalog.catalog is not None:
            return self._catalog
        current = self._spark.catalog.currentCatalog()
        return self._catalog.model_copy(update={"catalog": current})

    def _open(self, definition: TableDefinition) -> Table:
        identifier = self._catalog.identifier(definition.name)
        if definition.name == "runs":
            definition = replace(definition, lake=self.storage.address)
        try:
            open_table(self._spark, definition, identifier)
        except ForeignTableError as exc:
            raise LakeRefusedError(str(exc)) from exc
        if definition.lake is not None:
            self._claim(definition, identifier)
        there = {name.lower() for name in self._spark.table(identifier).columns}
        new = [column.ddl for column in definition.columns if column.name.lower() not in there]
        if new:
            self._spark.sql(f"ALTER TABLE {identifier} ADD COLUMNS ({', '.join(new)})")
        return CatalogTable(self._spark, self.storage, self.arrivals, definition, identifier)

    def _claim(self, definition: TableDefinition, identifier: str) -> None:
        """Make sure that the table is of no other lake, whose lock would be another one."""
        # Not SHOW TBLPROPERTIES: it hides a value that has, for instance, "url" in it.
        detail = self._spark.sql(f"DESCRIBE DETAIL {identifier}").collect()[0]
        lake = detail["properties"].get(LAKE_PROPERTY)
        if lake is None:  # a job has made the table
            self._spark.sql(definition.claim_sql(identifier))
        elif lake not in (definition.lake, self.storage.root):
            raise LakeRefusedError(
                f"{identifier} belongs to another lake: give --lake {shlex.quote(lake)}"
            )
