"""The Delta tables of a lake, opened to be read: in a folder, in an object store, of a catalog."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
from deltalake import DeltaTable, QueryBuilder, write_deltalake
from deltalake.exceptions import DeltaError, TableNotFoundError
from deltalake.fs import DeltaStorageHandler

from conformare._errors import FleetError
from conformare.fleet.stores import _sql as sql
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
_TOLD = (
    (
        re.compile(r"External error.* for file \S*?([^/\s]+/[^/\s]+\.parquet)"),
        "its file {0} is damaged or missing: restore it",
    ),
    (
        re.compile(r"Schema error: No field named (?:\w+\.)?\"?(\w+)"),
        "one of its tables has no column {0}, so the sink did not make it: restore it",
    ),
    (
        re.compile(r"Kernel error: Unsupported: (.*)"),
        "its table {table} has what this release of deltalake cannot read ({0}): upgrade deltalake",
    ),
    (
        re.compile(r"Kernel error: ((?:Json error|No table metadata).*)"),
        "the log of its table {table} is damaged ({0}): restore it",
    ),
)
"""What errors of the engine that nobody has explained say to people."""
MOST_LITERALS = 500
"""What is asked about is a table of its own beyond: a long list would take the engine longer than the
answer, and end it at some ten thousand."""
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
PANIC = "PanicException"
"""What they raise where they did not expect something; it is no `Exception`."""


class DeltaTables:
    """The tables of a lake.

    Args:
        root: The lake's folder as people write it: a path, or a URL.
        storage_options: Settings of its store that go before those of the environment.
        table_prefix: What the names of the tables begin with, for those of a catalog.

    Attributes:
        is_doubtful: Whether something could not be read, so that it may not be what was opened.

    Raises:
        FleetError: No lake is there, or it cannot be read.
    """

    def __init__(
        self, root: str, storage_options: Mapping[str, str] | None = None, table_prefix: str = ""
    ) -> None:
        self.place = root
        self.is_doubtful = False
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

    def rows(self, query: sql.Sql, asked: pa.Table | None = None) -> list[Row]:
        """Return what a query gives: times in UTC, arrays as lists, maps as dicts.

        Args:
            query: SQL over the tables by their names.
            asked: What it asks about, as a further table `asked`; not empty.

        Raises:
            FleetError: A table cannot be read.
        """
        found = self.found(query, asked)
        columns = zip(*map(_values, found.columns), strict=True)
        return [dict(zip(found.column_names, row, strict=True)) for row in columns]

    def found(self, query: sql.Sql, asked: pa.Table | None = None) -> pa.Table:
        """Return what a query gives, as Arrow has it: that takes a tenth of what rows take.

        Args:
            query: As for `rows`.
            asked: As for `rows`.

        Raises:
            FleetError: A table cannot be read.
        """
        if asked is not None and len(asked) <= MOST_LITERALS:
            return self.found(sql.joined([sql.with_asked(asked), query], " "))
        with self._translating(), TemporaryDirectory() as folder:
            engine = self._engine
            if asked is not None:
                write_deltalake(folder, asked)
                engine = self._registered().register("asked", DeltaTable(folder))
            return pa.table(engine.execute(query).read_all())

    def all(self) -> Iterable[tuple[str, DeltaTable]]:
        """Return every table that is there, as deltalake has it, with its name."""
        return self._tables.items()

    def files(self, table: str) -> DeltaStorageHandler:
        """Return what reads the files of a table."""
        return DeltaStorageHandler(self._uri(table), self._options)

    def refresh(self) -> None:
        """Take up what has been committed since.

        Raises:
            FleetError: A table cannot be read any more.
        """
        for name, table in self._tables.items():
            with self._translating(f"{self._prefix}{name}"):
                table.update_incremental()
        for name in OPTIONAL:
            if name not in self._tables and (late := self._table(name)) is not None:
                self._tables[name] = late
        self._engine = self._registered()

    def reopen(self) -> None:
        """Read all tables from the beginning, for one of them is not what it was.

        Raises:
            FleetError: A table cannot be read any more.
        """
        self._tables = self._opened()
        self._engine = self._registered()
        self.is_doubtful = False

    def append(self, definition: TableDefinition, row: Row) -> None:
        """Append a row to a table, which is made where it is missing.

        Raises:
            FleetError: It cannot be written.
        """
        uri, name = self._uri(definition.name), definition.name
        rows = pa.Table.from_pylist([row], schema=arrow_schema(definition.columns))
        with self._translating(writes=True):
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
            # This table alone: what else has come is for those who ask for changes.
            self._tables[name].update_incremental()
        self._engine = self._registered()

    @contextmanager
    def _translating(self, table: str = "", *, writes: bool = False) -> Iterator[None]:
        """Raise what deltalake raises as an error of ours."""
        try:
            yield
        except FAULTS as exc:
            raise self._fault(exc, table, writes=writes) from exc
        except BaseException as exc:
            # The engine raises a plain `Exception` where it cannot read a file.
            if type(exc) is not Exception and type(exc).__name__ != PANIC:
                raise
            raise self._fault(exc, table, writes=writes) from exc

    def _fault(self, error: BaseException, table: str, *, writes: bool) -> FleetError:
        self.is_doubtful = self.is_doubtful or not writes
        meaning = explain(error, self._address.prefix, writes=writes)
        for sign, told in _TOLD:
            if (found := sign.match(meaning)) is not None:
                meaning = told.format(*found.groups(), table=table or "tables")
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
                f"{self.place} is not a lake: it has no table {self._prefix}runs; correct --lake, or "
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
                    "sink, which creates it again"
                )
        return tables

    def _table(self, name: str) -> DeltaTable | None:
        with self._translating(f"{self._prefix}{name}"):
            try:
                return DeltaTable(self._uri(name), storage_options=self._options)
            except TableNotFoundError:
                return None

    def _registered(self) -> QueryBuilder:
        engine = QueryBuilder()
        for name, table in self._tables.items():
            engine.register(name, table)
        return engine

    def _require_known_contract(self) -> None:
        (row,) = self.rows(sql.composed("SELECT max(schema_version) AS version FROM runs"))
        if (row["version"] or 0) > CONTRACT_VERSION:
            raise FleetError(
                f"{self.place} has runs of version {row['version']} of the contract, and this "
                f"release knows {CONTRACT_VERSION}: upgrade conformare-stream here"
            )


def _values(column: Any) -> list[Any]:
    """Return what a column holds; of times, pyarrow alone would take ten times as long."""
    if pa.types.is_map(column.type):
        return [dict(pairs or ()) for pairs in column.to_pylist()]
    if pa.types.is_timestamp(column.type):
        micros = column.cast(pa.timestamp("us", column.type.tz)).cast(pa.int64()).to_pylist()
        return [None if n is None else EPOCH + timedelta(microseconds=n) for n in micros]
    values: list[Any] = column.to_pylist()
    return values
