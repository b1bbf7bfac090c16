"""Where the lake's tables are: folders of their own in the lake, or names in a catalog."""

from __future__ import annotations

import shlex
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from pyspark.errors import AnalysisException
from pyspark.sql import DataFrame, SparkSession

from conformare_schemas import (
    GRAINS,
    LAKE_PROPERTY,
    OWNER_PROPERTY,
    ForeignTableError,
    TableDefinition,
    grain_table,
    open_table,
    path_identifier,
    table_identifier,
    table_path,
)
from conformare_sink.errors import LakeRefusedError, NoLakeError, first_line
from conformare_sink.lake.append import AppendTable, CatalogTable, FolderTable
from conformare_sink.lake.catalog_note import in_a_catalog, read_note, write_note
from conformare_sink.lake.delta_log import LOG, create_folder_table, is_delta_table
from conformare_sink.lake.folder import Folder
from conformare_sink.lake.own_tables import PENDING, PURGED, QUARANTINE
from conformare_sink.options import CatalogOptions

LAKE_TABLES: dict[str, TableDefinition] = {
    table.name: table for table in (*map(grain_table, GRAINS), PENDING, QUARANTINE, PURGED)
}
"""Every table of a lake by its name, `runs` first: it tells a lake."""

OPENING_THREADS = 4


@dataclass(frozen=True)
class LakeTables:
    """The tables of one lake.

    Args:
        spark: The sink's session.
        root: Folder of the lake: a local path or a URI.
        catalog: Where the tables are if they are not folders of the lake.
    """

    spark: SparkSession
    root: str
    catalog: CatalogOptions | None = None

    def identifier(self, table: str) -> str:
        """Return the quoted SQL name of a table."""
        if self.catalog is None:
            return path_identifier(self.root, table)
        return table_identifier(
            table,
            catalog=self.catalog.catalog,
            schema=self.catalog.schema_name,
            table_prefix=self.catalog.table_prefix,
        )

    def read(self, table: str) -> DataFrame:
        """Return a table as it is now."""
        return self.spark.table(self.identifier(table))

    def exist(self, table: str = "runs") -> bool:
        """Return whether there is a table; by `runs`, which is created first, a lake is known."""
        if self.catalog is not None:
            return self.spark.catalog.tableExists(self.identifier(table))
        return Folder(self.spark, table_path(self.root, table)).has(LOG)

    def require(self) -> None:
        """Make sure that there is a lake.

        Raises:
            NoLakeError: There is none.
            LakeRefusedError: Its tables are elsewhere.
        """
        self.require_place()
        if not self.exist():
            raise NoLakeError(f"there is no conformare lake at {self.root}")

    def require_place(self) -> None:
        """Make sure that the tables have a schema, and the lake's folder does not have them elsewhere.

        Raises:
            LakeRefusedError: It has, or they have none.
        """
        noted = read_note(Folder(self.spark, self.root))
        runs = Folder(self.spark, table_path(self.root, "runs"))
        if noted is not None:
            if noted != self._whole_catalog():
                raise in_a_catalog(self.root, noted)
        elif self.catalog is not None and runs.has(LOG):
            raise LakeRefusedError(
                f"the tables of {self.root} are folders in it: leave out --catalog, --schema and "
                "--table-prefix"
            )
        if self.catalog is not None:
            self._require_schema(self.catalog)

    def open(self) -> dict[str, AppendTable]:
        """Open all tables, made where they are missing, with every column of the contract.

        Returns:
            Table → where its rows are appended.

        Raises:
            LakeRefusedError: Something else is in the place of one, or they are another lake's.
        """
        runs, *others = LAKE_TABLES.values()
        opened = {runs.name: self._open(runs)}
        with ThreadPoolExecutor(OPENING_THREADS, "open") as pool:
            names = [table.name for table in others]
            opened.update(zip(names, pool.map(self._open, others), strict=True))
        self._note_place()
        return opened

    def _require_schema(self, catalog: CatalogOptions) -> None:
        schema = table_identifier("", catalog=catalog.catalog, schema=catalog.schema_name)
        try:
            self.spark.sql(f"DESCRIBE SCHEMA {schema}")
        except AnalysisException as exc:
            raise LakeRefusedError(
                f"the schema {schema} cannot be used: {first_line(exc)}"
            ) from exc

    def _whole_catalog(self) -> CatalogOptions | None:
        """Where the tables are, also for a session that has another current catalog."""
        if self.catalog is None or self.catalog.catalog is not None:
            return self.catalog
        return self.catalog.model_copy(update={"catalog": self.spark.catalog.currentCatalog()})

    def _note_place(self) -> None:
        folder, catalog = Folder(self.spark, self.root), self._whole_catalog()
        # After the tables, so that a schema that does not exist is not noted.
        if catalog is not None and read_note(folder) is None:
            write_note(folder, catalog)

    def _open(self, table: TableDefinition) -> AppendTable:
        identifier = self.identifier(table.name)
        try:
            opened = (
                self._open_folder(table) if self.catalog is None else self._open_in_catalog(table)
            )
        except ForeignTableError as exc:
            raise LakeRefusedError(str(exc)) from exc
        # A newer contract brings columns; the rows that are there have nothing in them.
        there = {name.lower() for name in opened.columns()}
        new = [column.ddl for column in table.columns if column.name.lower() not in there]
        if new:
            self.spark.sql(f"ALTER TABLE {identifier} ADD COLUMNS ({', '.join(new)})")
            opened.changed_by_others()
        return opened

    def _open_folder(self, table: TableDefinition) -> AppendTable:
        folder = table_path(self.root, table.name)
        if not is_delta_table(self.spark, folder):
            create_folder_table(self.spark, table, folder)
        opened = FolderTable(self.spark, folder, table.skipping)
        # Asking Spark takes a second for each table.
        if opened.properties().get(OWNER_PROPERTY) != table.name:
            raise LakeRefusedError(
                f"{folder} is not conformare's table {table.name!r}; choose another lake"
            )
        return opened

    def _open_in_catalog(self, table: TableDefinition) -> AppendTable:
        identifier = self.identifier(table.name)
        if table.name == "runs":
            table = replace(table, lake=Folder(self.spark, self.root).address)
        open_table(self.spark, table, identifier)
        if table.lake is not None:
            self._claim(table, identifier)
        return CatalogTable(self.spark, identifier)

    def _claim(self, table: TableDefinition, identifier: str) -> None:
        """Make sure that the table is of no other lake, whose lock would be another one."""
        # Not SHOW TBLPROPERTIES: it hides a value that has, for instance, "url" in it.
        detail = self.spark.sql(f"DESCRIBE DETAIL {identifier}").collect()[0]
        lake = detail["properties"].get(LAKE_PROPERTY)
        if lake is None:  # a job has made the table
            self.spark.sql(table.claim_sql(identifier))
        elif lake not in (table.lake, self.root):
            raise LakeRefusedError(
                f"{identifier} is of another lake: give --lake {shlex.quote(lake)}"
            )
