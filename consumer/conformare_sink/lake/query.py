"""A lake that is only looked at, by SQL which delta-rs and Spark understand alike.

Tables that are folders are read by delta-rs, for Spark takes seconds to start; where those of a
catalog are, and who may read them, the catalog tells Spark alone.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Protocol

from deltalake import DeltaTable, QueryBuilder
from deltalake.exceptions import DeltaError, TableNotFoundError

from conformare_schemas import table_path
from conformare_sink.errors import NoLakeError

if TYPE_CHECKING:
    from conformare_sink.lake.tables import LakeTables

Rows = list[dict[str, Any]]


class LakeQuery(Protocol):
    """Asks the tables of a lake that is there."""

    @property
    def root(self) -> str:
        """Folder of the lake."""

    def lake_id(self) -> str:
        """Return the identity of the lake."""

    def has(self, table: str) -> bool:
        """Return whether there is a table."""

    def rows(self, sql: str, *tables: str) -> Rows:
        """Return what a query finds.

        Args:
            sql: The query.
            tables: The tables that it names.
        """


def query_lake(lake: str | LakeTables) -> LakeQuery:
    """Begin to look at a lake.

    Args:
        lake: Its folder, a local path or a URI; its tables where they are in a catalog.

    Raises:
        NoLakeError: There is no lake.
        LakeRefusedError: Its tables are elsewhere.
    """
    return _FolderQuery(lake) if isinstance(lake, str) else _CatalogQuery(lake)


def sql_text(value: str) -> str:
    r"""Return a text as it stands in a query.

    To Spark, `\` and `${` have a meaning even there.
    """
    escaped = re.sub(r"[\\'$]", lambda found: f"' || chr({ord(found[0])}) || '", value)
    return f"('{escaped}')"


class _FolderQuery:
    def __init__(self, root: str) -> None:
        self.root = root
        self._runs = self._table("runs")

    def lake_id(self) -> str:
        return str(self._runs.metadata().id)

    def has(self, table: str) -> bool:
        return DeltaTable.is_deltatable(table_path(self.root, table))

    def rows(self, sql: str, *tables: str) -> Rows:
        query = QueryBuilder()
        for name in tables:
            query = query.register(name, self._table(name))
        return _rows(query.execute(sql).read_all())

    def _table(self, name: str) -> DeltaTable:
        try:
            return DeltaTable(table_path(self.root, name))
        except TableNotFoundError as exc:
            self._require_no_catalog()
            raise NoLakeError(f"there is no conformare lake at {self.root}") from exc

    def _require_no_catalog(self) -> None:
        # Slow to import, and of use where something is wrong only.
        from deltalake.fs import DeltaStorageHandler

        from conformare_sink.lake.catalog_note import CATALOG_NOTE, in_a_catalog, parse_note

        try:
            note = DeltaStorageHandler(self.root).open_input_file(CATALOG_NOTE).read()
        except (DeltaError, OSError):
            return
        if (noted := parse_note(note)) is not None:
            raise in_a_catalog(self.root, noted)


class _CatalogQuery:
    def __init__(self, tables: LakeTables) -> None:
        tables.require()
        self.root = tables.root
        self._tables = tables

    def lake_id(self) -> str:
        detail = self._tables.spark.sql(f"DESCRIBE DETAIL {self._tables.identifier('runs')}")
        return str(detail.collect()[0]["id"])

    def has(self, table: str) -> bool:
        return self._tables.exist(table)

    def rows(self, sql: str, *tables: str) -> Rows:
        named = ", ".join(f"{name} AS (TABLE {self._tables.identifier(name)})" for name in tables)
        return _rows(self._tables.spark.sql(f"WITH {named} {sql}").toArrow())


def _rows(found: Any) -> Rows:
    """Return the rows of a table of Arrow, whichever of its libraries that is of."""
    columns = (column.to_pylist() for column in found.columns)
    return [dict(zip(found.column_names, row, strict=True)) for row in zip(*columns, strict=True)]
