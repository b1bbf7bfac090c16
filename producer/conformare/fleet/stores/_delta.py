"""The Delta tables of a lake, opened to be read: in a folder, in an object store, of a catalog."""

from __future__ import annotations

from collections.abc import Mapping
from tempfile import TemporaryDirectory

import pyarrow as pa
from deltalake import DeltaTable, QueryBuilder, write_deltalake
from deltalake.exceptions import DeltaError, TableNotFoundError
from deltalake.fs import DeltaStorageHandler

from conformare._errors import FleetError
from conformare.fleet.stores._store import Row
from conformare_schemas import (
    CONTRACT_VERSION,
    GRAINS,
    TableDefinition,
    acknowledgements_table,
    arrow_schema,
    table_columns,
)
from conformare_schemas.store import StoreError, StoreSettings, explain, parse_address

OPTIONAL = ("source_risks", "acknowledgements")
"""Tables that a lake of an earlier release does not have."""


FAULTS = (DeltaError, OSError, ValueError, pa.ArrowException)
"""What deltalake and its engine raise where a table cannot be read or written."""


class DeltaTables:
    """The tables of a lake.

    Args:
        root: The lake's folder as people write it: a path, or a URL.
        storage_options: Settings of its store that go before those of the environment.
        table_prefix: What the names of the tables begin with, for those of a catalog.

    Raises:
        FleetError: No lake is there, or it cannot be read.
    """

    def __init__(
        self, root: str, storage_options: Mapping[str, str] | None = None, table_prefix: str = ""
    ) -> None:
        self.place = root
        self._prefix = table_prefix
        try:
            self._address = parse_address(root)
            self._settings = (
                None
                if self._address.local is not None
                else StoreSettings(self._address.prefix, storage_options or {})
            )
        except StoreError as exc:
            raise FleetError(str(exc)) from exc
        self._tables = self._opened()
        self._engine = self._registered()
        self._require_known_contract()

    def has(self, table: str) -> bool:
        """Return whether there is a table."""
        return table in self._tables

    def columns(self, grain: str) -> list[str]:
        """Return the columns of a grain's table that this release knows, in the contract's order."""
        there = {field.name for field in self._tables[grain].schema().fields}
        return [column.name for column in table_columns(grain) if column.name in there]

    def rows(self, query: str, asked: pa.Table | None = None) -> list[Row]:
        """Return what a query gives: times in UTC, arrays as lists, maps as dicts.

        Args:
            query: SQL over the tables by their names.
            asked: What it asks about, as a further table `asked`. A long list of literals would take
                the engine longer than the answer, and end it at some ten thousand.

        Raises:
            FleetError: A table cannot be read.
        """
        try:
            with TemporaryDirectory() as folder:
                engine = self._engine
                if asked is not None:
                    write_deltalake(folder, asked)
                    engine = self._registered().register("asked", DeltaTable(folder))
                found = pa.table(engine.execute(query).read_all())
        except FAULTS as exc:
            raise self.fault(exc) from exc
        maps = [field.name for field in found.schema if pa.types.is_map(field.type)]
        rows: list[Row] = found.to_pylist()
        for row in rows:
            for column in maps:
                row[column] = dict(row[column] or ())
        return rows

    def table(self, table: str) -> DeltaTable:
        """Return a table as deltalake has it."""
        return self._tables[table]

    def files(self, table: str) -> DeltaStorageHandler:
        """Return what reads the files of a table."""
        return DeltaStorageHandler(self._uri(table), self._options)

    def refresh(self) -> None:
        """Take up what has been committed since.

        Raises:
            FleetError: A table cannot be read any more.
        """
        try:
            for table in self._tables.values():
                table.update_incremental()
        except FAULTS as exc:
            raise self.fault(exc) from exc
        for name in OPTIONAL:
            if name not in self._tables and (late := self._table(name)) is not None:
                self._tables[name] = late
        self._engine = self._registered()

    def reopen(self) -> None:
        """Read all tables from the beginning, for one of them is not what it was."""
        self._tables = self._opened()
        self._engine = self._registered()

    def append(self, definition: TableDefinition, row: Row) -> None:
        """Append a row to a table, which is made where it is missing.

        Raises:
            FleetError: It cannot be written.
        """
        uri, name = self._uri(definition.name), definition.name
        rows = pa.Table.from_pylist([row], schema=arrow_schema(definition.columns))
        try:
            if name not in self._tables:
                self._tables[name] = DeltaTable.create(
                    uri,
                    pa.schema(rows.schema),
                    mode="ignore",
                    description=definition.comment,
                    configuration=definition.properties,
                    storage_options=self._options,
                    raise_if_key_not_exists=False,  # our own are none of Delta's
                )
            write_deltalake(uri, rows, mode="append", storage_options=self._options)
        except FAULTS as exc:
            raise self._fault(exc, writes=True) from exc
        self.refresh()

    def fault(self, error: BaseException) -> FleetError:
        """Return what an error of deltalake means, in one line."""
        return self._fault(error, writes=False)

    def _fault(self, error: BaseException, *, writes: bool) -> FleetError:
        meaning = explain(error, self._address.prefix, writes=writes)
        if self._settings is not None:
            meaning = self._settings.hide(meaning)
        return FleetError(f"{self.place} cannot be {'written' if writes else 'read'}: {meaning}")

    @property
    def _options(self) -> dict[str, str] | None:
        return None if self._settings is None else self._settings.for_deltalake()

    def _uri(self, table: str) -> str:
        return self._address.uri(f"{self._prefix}{table}")

    def _opened(self) -> dict[str, DeltaTable]:
        runs = self._table("runs")
        if runs is None:
            raise FleetError(
                f"{self.place} is no lake: it has no table {self._prefix}runs; correct --lake, or "
                "start the sink, which makes it"
            )
        tables = {"runs": runs}
        for grain in (*GRAINS, acknowledgements_table().name):
            table = runs if grain == "runs" else self._table(grain)
            if table is not None:
                tables[grain] = table
            elif grain not in OPTIONAL:
                raise FleetError(
                    f"{self.place} has no table {self._prefix}{grain}: restore it, or start the "
                    "sink, which makes it anew"
                )
        return tables

    def _table(self, name: str) -> DeltaTable | None:
        try:
            return DeltaTable(self._uri(name), storage_options=self._options)
        except TableNotFoundError:
            return None
        except FAULTS as exc:
            raise self.fault(exc) from exc

    def _registered(self) -> QueryBuilder:
        engine = QueryBuilder()
        for name, table in self._tables.items():
            engine.register(name, table)
        return engine

    def _require_known_contract(self) -> None:
        (row,) = self.rows("SELECT max(schema_version) AS version FROM runs")
        if (row["version"] or 0) > CONTRACT_VERSION:
            raise FleetError(
                f"{self.place} has runs of version {row['version']} of the contract, and this "
                f"release knows {CONTRACT_VERSION}: upgrade conformare-stream here"
            )
