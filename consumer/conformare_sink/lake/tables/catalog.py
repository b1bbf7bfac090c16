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
from functools import cached_property
from hashlib import md5
from typing import Any

import pyarrow as pa
from delta.tables import DeltaTable
from py4j.protocol import Py4JError
from pyspark.errors import AnalysisException, IllegalArgumentException, PySparkException
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
    NoLakeError,
    RetentionTooShortError,
    TableReadError,
    TableWriteError,
    first_line,
)
from conformare_sink.lake.layout import LOG, READ_NOTE
from conformare_sink.lake.store.storage import Storage
from conformare_sink.lake.tables.catalog_note import in_a_catalog, read_note, write_note
from conformare_sink.lake.tables.tables import (
    LAKE_TABLES,
    TABLES_AT_ONCE,
    Changes,
    Cleaned,
    Compacted,
    FileTable,
    Offsets,
    Table,
    Version,
)
from conformare_sink.options import CatalogOptions

ROWS_AT_ONCE = 1_000_000
_FAULTS = (PySparkException, Py4JError)


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
        self._spark = spark
        self._catalog = catalog

    def require(self) -> None:
        """Make sure that there is a lake, and that its tables are here."""
        self.storage.check()
        self.require_place()
        if not self.exist():
            raise NoLakeError(f"there is no conformare lake at {self.storage.root}")

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
        return self._spark.catalog.tableExists(self._identifier(table))

    def lake_id(self) -> str:
        """Return the identity of the lake."""
        return table_id(self._spark, self._identifier("runs"))

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
        named = ", ".join(f"{name} AS (TABLE {self._identifier(name)})" for name in tables)
        try:
            found = self._spark.sql(f"WITH {named} {sql}")
            n_portions = max(1, math.ceil(found.count() / ROWS_AT_ONCE))
            if n_portions == 1:
                yield found.toArrow()
                return
            for portion in found.randomSplit([1.0] * n_portions, seed=0):
                yield portion.toArrow()
        except _FAULTS as exc:
            raise TableReadError(self.storage.root, ", ".join(tables), first_line(exc)) from exc

    def version(self, table: str, number: int | None = None) -> Version | None:
        """Return the newest version of a table; None where another one is named."""
        newest = newest_commit(self._spark, self._identifier(table))
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
        newest = newest_commit(self._spark, self._identifier(table))["version"]
        return Changes(number, lambda: iter(()), None) if newest == number else None

    def _identifier(self, table: str) -> str:
        return table_identifier(
            table,
            catalog=self._catalog.catalog,
            schema=self._catalog.schema_name,
            table_prefix=self._catalog.table_prefix,
        )

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
        identifier = self._identifier(definition.name)
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
        return CatalogTable(self._spark, self.storage, definition, identifier)

    def _claim(self, definition: TableDefinition, identifier: str) -> None:
        """Make sure that the table is of no other lake, whose lock would be another one."""
        # Not SHOW TBLPROPERTIES: it hides a value that has, for instance, "url" in it.
        detail = self._spark.sql(f"DESCRIBE DETAIL {identifier}").collect()[0]
        lake = detail["properties"].get(LAKE_PROPERTY)
        if lake is None:  # a job has made the table
            self._spark.sql(definition.claim_sql(identifier))
        elif lake not in (definition.lake, self.storage.root):
            raise LakeRefusedError(
                f"{identifier} is of another lake: give --lake {shlex.quote(lake)}"
            )


class CatalogTable:
    """A table of a catalog that is open for writing.

    Args:
        spark: The session, whose catalog it is.
        storage: The lake's folder.
        definition: What the table is.
        identifier: Its quoted SQL name.
    """

    def __init__(
        self, spark: SparkSession, storage: Storage, definition: TableDefinition, identifier: str
    ) -> None:
        self._spark = spark
        self._storage = storage
        self._definition = definition
        self._identifier = identifier
        self._version: int | None = None
        """The newest one that somebody knows of; None where nobody has asked."""

    @cached_property
    def table_id(self) -> str:
        """Its identity."""
        return table_id(self._spark, self._identifier)

    @property
    def files(self) -> FileTable | None:
        """None: the catalog has a say in every commit."""
        return None

    def append(self, rows: pa.Table, read: Offsets | None = None) -> None:
        """Append rows in one commit; what was read is noted behind it."""
        if rows.num_rows:
            version = self._version
            if version is not None:
                # Of the append itself, unless others have committed.
                version = version + 1 if version == self._newest() else None
            try:
                frame = self._spark.createDataFrame(rows).coalesce(1)
                frame.writeTo(self._identifier).append()
            except _FAULTS as exc:
                raise TableWriteError(self._identifier, first_line(exc)) from exc
            self._version = version
        if read:
            noted = {"table_id": self.table_id, "read": {**self._noted(), **read}}
            self._storage.write(READ_NOTE, json.dumps(noted).encode())

    def delete(self, keys: pa.Table) -> int:
        """Delete the rows that agree with one of some keys in all of the keys' columns."""
        if not keys.num_rows:
            return 0
        names = keys.column_names
        distinct = self._spark.createDataFrame(keys).distinct().alias("k")
        same = " AND ".join(f"t.`{name}` = k.`{name}`" for name in names)
        try:
            stored = DeltaTable.forName(self._spark, self._identifier).alias("t")
            counts = stored.merge(distinct, same).whenMatchedDelete().execute().collect()
        except _FAULTS as exc:
            raise TableWriteError(self._identifier, first_line(exc)) from exc
        return int(counts[0]["num_deleted_rows"])

    def fence(self) -> None:
        """Do nothing: with its answer, a commit of Spark's is over."""

    def changed_by_others(self) -> bool:
        """Return whether there is a version that is not ours since it was asked last."""
        newest = self._newest()
        changed, self._version = newest != self._version, newest
        return changed

    @property
    def told_version(self) -> int | None:
        """The newest version, unless others have committed since it was asked for that last."""
        return self._version

    def read_to(self, logs: Collection[str]) -> dict[str, int]:
        """Return how far some logs were read, of those known."""
        noted = self._noted()
        return {log: noted[log] for log in logs if log in noted}

    def compact(self) -> Compacted:
        """Compact small files."""
        try:
            metrics = self._spark.sql(f"OPTIMIZE {self._identifier}").collect()[0]["metrics"]
        except _FAULTS as exc:
            raise TableWriteError(self._identifier, first_line(exc)) from exc
        return Compacted(metrics["numFilesRemoved"], metrics["numFilesAdded"])

    def clean(self, retention_hours: int) -> Cleaned:
        """Delete files that no version within the retention needs; the catalog tends its logs."""
        vacuum = f"VACUUM {self._identifier} RETAIN {retention_hours} HOURS"
        try:
            n_gone = self._spark.sql(f"{vacuum} DRY RUN").count()
            self._spark.sql(vacuum)
        except IllegalArgumentException as exc:
            raise RetentionTooShortError(self._definition.name, retention_hours) from exc
        except _FAULTS as exc:
            raise TableWriteError(self._identifier, first_line(exc)) from exc
        return Cleaned(n_gone)

    def _newest(self) -> int:
        return int(newest_commit(self._spark, self._identifier)["version"])

    def _noted(self) -> dict[str, int]:
        """Return how far logs were read into this very table, not into one that was dropped."""
        try:
            noted = json.loads(self._storage.read(READ_NOTE) or b"{}")
            if noted["table_id"] != self.table_id:
                return {}
            return {log: int(offset) for log, offset in noted["read"].items()}
        except (ValueError, KeyError, TypeError, AttributeError):
            return {}  # nothing is lost by that: the topics are read from their beginning


def newest_commit(spark: SparkSession, identifier: str) -> dict[str, Any]:
    """Return what is told of the newest commit of a table."""
    history = spark.sql(f"DESCRIBE HISTORY {identifier} LIMIT 1")
    return history.head().asDict(recursive=True)  # type: ignore[union-attr]  # one row, always


def table_id(spark: SparkSession, identifier: str) -> str:
    """Return the identity of a table."""
    detail = spark.sql(f"DESCRIBE DETAIL {identifier}")
    return str(detail.select("id").head()["id"])  # type: ignore[index]  # one row, always
