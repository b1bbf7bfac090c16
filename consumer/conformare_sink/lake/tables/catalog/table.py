"""One table of a catalog: what a writer does to it, each in one commit of Spark's own Delta."""

from __future__ import annotations

import json
from collections.abc import Collection
from functools import cached_property
from typing import Any

import pyarrow as pa
from delta.tables import DeltaTable
from py4j.protocol import Py4JError
from pyspark.errors import IllegalArgumentException, PySparkException
from pyspark.sql import DataFrame, SparkSession

from conformare_schemas import TableDefinition
from conformare_sink.errors import RetentionTooShortError, TableWriteError, first_line
from conformare_sink.lake.layout import READ_NOTE
from conformare_sink.lake.store.storage import Storage
from conformare_sink.lake.tables.catalog.staged import remove_staged, staged_rows
from conformare_sink.lake.tables.data_file import DataFile
from conformare_sink.lake.tables.tables import Cleaned, Compacted, FileTable, Offsets

FAULTS = (PySparkException, Py4JError)


class CatalogTable:
    """A table of a catalog that is open for writing.

    Args:
        spark: The session, whose catalog it is.
        storage: The lake's folder.
        arrivals: Where rows come as files.
        definition: What the table is.
        identifier: Its quoted SQL name.
    """

    takes_files = True

    def __init__(
        self,
        spark: SparkSession,
        storage: Storage,
        arrivals: Storage,
        definition: TableDefinition,
        identifier: str,
    ) -> None:
        self._spark = spark
        self._storage = storage
        self._arrivals = arrivals
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
            self._append(self._spark.createDataFrame(rows).coalesce(1))
        self._note_read(read)

    def add(self, files: Collection[DataFile], read: Offsets | None = None) -> None:
        """Append the rows of files in one commit, and delete the files."""
        self._append(staged_rows(self._spark, self._arrivals, self._definition, files))
        remove_staged(self._arrivals, self._definition.name)
        self._note_read(read)

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
        except FAULTS as exc:
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
        except FAULTS as exc:
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
        except FAULTS as exc:
            raise TableWriteError(self._identifier, first_line(exc)) from exc
        return Cleaned(n_gone)

    def _append(self, rows: DataFrame) -> None:
        version = self._version
        if version is not None:
            # Of the append itself, unless others have committed.
            version = version + 1 if version == self._newest() else None
        try:
            rows.writeTo(self._identifier).append()
        except FAULTS as exc:
            raise TableWriteError(self._identifier, first_line(exc)) from exc
        self._version = version

    def _note_read(self, read: Offsets | None) -> None:
        if read:
            noted = {"table_id": self.table_id, "read": {**self._noted(), **read}}
            self._storage.write(READ_NOTE, json.dumps(noted).encode())

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
