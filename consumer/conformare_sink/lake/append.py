"""Rows that are in this process become files and commits of a Delta table.

A micro-batch ends with a commit for every table, and a Spark job for each would be most of its
time. So the files are written here and committed through Delta Kernel, Delta's own library for
connectors: the same protocol and the same file systems, and no Spark job. Tables of a catalog go
through Spark's writer, for the catalog may have a say in their commits.
"""

from __future__ import annotations

import time
from typing import Any, Protocol
from uuid import uuid4

import pyarrow as pa
from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from conformare_sink.errors import TableWriteError, first_line
from conformare_sink.lake.data_file import DataFile, parquet, statistics
from conformare_sink.lake.delta_log import commit_file
from conformare_sink.lake.folder import Folder

ENGINE_NAME = "conformare"
ATTEMPTS = 5
"""How often a commit is tried, each time upon the newest version of the table."""

LOG_SECONDS = 24 * 3600.0
"""For at least so long a commit stays in the log; the tables' property says a week."""

FENCE = "conformare-writer"
"""Application whose transactions number the commits of a lake that can be taken over."""

TURNS = 2**32
"""So many numbers each writer has, whichever of its commits come through: no two share any."""


class AppendTable(Protocol):
    """A table that rows are appended to."""

    @property
    def table_id(self) -> str:
        """Its identity: another one at the same place has another."""

    def columns(self) -> list[str]:
        """Return the names of its columns."""

    def fence(self) -> None:
        """Shut out every writer that opened the table before, as far as the table can."""

    def next_turn(self) -> int | None:
        """Return the number that the writer's next commit has; None where it is not fenced."""

    def append(self, rows: pa.Table) -> None:
        """Append rows that have the table's columns, all of them in one commit."""

    def changed_by_others(self) -> bool:
        """Return whether rows have come or gone by somebody else since it was asked last."""


class CatalogTable:
    """Appends through Spark's own writer to a table that has a name in a catalog.

    Args:
        spark: The sink's session.
        identifier: Quoted SQL name of the table.
    """

    def __init__(self, spark: SparkSession, identifier: str) -> None:
        self._spark = spark
        self._identifier = identifier
        self._version = self._newest()

    @property
    def table_id(self) -> str:
        """Its identity: another one at the same place has another."""
        detail = self._spark.sql(f"DESCRIBE DETAIL {self._identifier}")
        return str(detail.select("id").head()["id"])  # type: ignore[index]  # one row, always

    def columns(self) -> list[str]:
        """Return the names of its columns."""
        return self._spark.table(self._identifier).columns

    def append(self, rows: pa.Table) -> None:
        """Append rows that have the table's columns, all of them in one commit.

        Raises:
            TableWriteError: They could not be written.
        """
        known = self._version == self._newest()
        try:
            self._spark.createDataFrame(rows).coalesce(1).writeTo(self._identifier).append()
        except PySparkException as exc:
            raise TableWriteError(self._identifier, first_line(exc)) from exc
        if known:
            self._version += 1

    def changed_by_others(self) -> bool:
        """Return whether there is a version that is not ours since it was asked last."""
        newest = self._newest()
        changed, self._version = newest != self._version, newest
        return changed

    def fence(self) -> None:
        """Do nothing: the catalog knows its writers."""

    def next_turn(self) -> None:
        """Return None: there is no fence."""

    def _newest(self) -> int:
        history = self._spark.sql(f"DESCRIBE HISTORY {self._identifier} LIMIT 1")
        return int(history.select("version").head()["version"])  # type: ignore[index]  # one row


class FolderTable:
    """Appends to a table that is addressed by its folder.

    Args:
        spark: The sink's session; its configuration says how to reach the folder.
        location: The table's folder: a local path or a URI.
        statistics: Columns whose smallest and largest value are kept for each file.
    """

    def __init__(self, spark: SparkSession, location: str, statistics: tuple[str, ...]) -> None:
        context: Any = spark.sparkContext
        jvm = context._jvm  # noqa: SLF001 - the way to Java
        hadoop = context._jsc.hadoopConfiguration()  # noqa: SLF001
        self._kernel = jvm.io.delta.kernel
        self._no_partition = jvm.java.util.HashMap()
        self._engine = self._kernel.defaults.engine.DefaultEngine.create(hadoop)
        self._folder = Folder(spark, location)
        self._location = location
        self._statistics = statistics
        self._snapshot: Any = None
        self._version = self._load().getVersion()
        self._changed = False
        """Whether a commit of others up to that version changed rows, and nobody has asked yet."""
        self._asked = time.monotonic()
        self._turn: int | None = None

    @property
    def table_id(self) -> str:
        """Its identity: another one at the same place has another."""
        return str(self._load().getMetadata().getId())

    def columns(self) -> list[str]:
        """Return the names of its columns."""
        return list(self._load().getSchema().fieldNames())

    def properties(self) -> dict[str, str]:
        """Return the table's properties."""
        return dict(self._load().getTableProperties())

    def append(self, rows: pa.Table) -> None:
        """Append rows that have the table's columns, all of them in one commit.

        Raises:
            TableWriteError: The file or the commit could not be written.
        """
        name = f"{uuid4()}.parquet"
        content = parquet(rows)
        try:
            self._folder.write_bytes(name, content)
            self._commit(DataFile(name, len(content), statistics(rows, self._statistics)))
        except (Py4JJavaError, OSError) as exc:
            raise TableWriteError(self._location, first_line(exc)) from exc

    def changed_by_others(self) -> bool:
        """Return whether rows have come or gone by somebody else since it was asked last."""
        asked, self._asked = self._asked, time.monotonic()
        if self._asked - asked > LOG_SECONDS:
            self._snapshot = None
            self._look_through(self._load().getVersion())
        while self._folder.has(commit_file(self._version + 1)):
            self._look_through(self._version + 1)
            self._snapshot = None
        changed, self._changed = self._changed, False
        return changed

    def fence(self) -> None:
        """Shut out every writer that opened the table before.

        From now on each commit carries a number that the log lets through only if it is higher than
        all before, and those of this writer are higher than all of the writers before it.

        Raises:
            TableWriteError: Somebody else was faster.
        """
        latest = self._load().getLatestTransactionVersion(self._engine, FENCE).orElse(None)
        self._turn = (int(latest or 0) // TURNS + 1) * TURNS
        try:
            self._commit(None)
        except Py4JJavaError as exc:
            raise TableWriteError(self._location, first_line(exc)) from exc

    def next_turn(self) -> int | None:
        """Return the number that the writer's next commit has; None where it is not fenced."""
        if self._turn is not None:
            self._turn += 1
        return self._turn

    def _look_through(self, version: int) -> None:
        """Look at the commits of others up to a version."""
        while self._version < version:
            self._version += 1
            commit = commit_file(self._version)
            # OPTIMIZE commits files too, and says of each that it changes no data. Of a commit that
            # maintenance has removed nobody knows.
            self._changed |= not self._folder.has(commit) or (
                '"dataChange":true' in self._folder.read_text(commit)
            )

    def _load(self) -> Any:
        if self._snapshot is None:
            loading = self._kernel.TableManager.loadSnapshot(self._location)
            self._snapshot = loading.build(self._engine)
        return self._snapshot

    def _commit(self, file: DataFile | None) -> None:
        """Commit a file, or nothing but a turn.

        Trying again is safe also where a commit came through and its answer did not: a file is in
        the table once, however often it is added, and a turn that was taken cannot be taken again.
        """
        turn = self.next_turn()
        for attempt in range(ATTEMPTS):
            before, self._snapshot = self._load(), None
            try:
                result = self._commit_upon(before, file, turn)
            except Py4JJavaError as exc:
                # It may lie in what the snapshot was of: a table that was altered since.
                if attempt == ATTEMPTS - 1 or "ConcurrentTransaction" in str(exc.java_exception):
                    raise
                continue
            self._look_through(result.getVersion() - 1)
            self._version += 1
            self._snapshot = result.getPostCommitSnapshot().orElse(None)
            for hook in result.getPostCommitHooks():
                if hook.getType().toString() == "CHECKPOINT":
                    hook.threadSafeInvoke(self._engine)
                    # The next one begins at the checkpoint. This one would carry every commit
                    # since it was loaded, also those that maintenance has removed by then.
                    self._snapshot = None
            return

    def _commit_upon(self, snapshot: Any, file: DataFile | None, turn: int | None) -> Any:
        kernel, engine = self._kernel, self._engine
        operation = kernel.Operation.STREAMING_UPDATE
        building = snapshot.buildUpdateTableTransaction(ENGINE_NAME, operation)
        if turn is not None:
            building = building.withTransactionId(FENCE, turn)
        transaction = building.build(engine)
        iterable = kernel.utils.CloseableIterable
        if file is None:
            return transaction.commit(engine, iterable.emptyIterable())
        state = transaction.getTransactionState(engine)
        context = kernel.Transaction.getWriteContext(engine, state, self._no_partition)
        parsed = kernel.statistics.DataFileStatistics.deserializeFromJson(
            file.statistics, transaction.getSchema(engine)
        )
        status = kernel.utils.DataFileStatus(
            self._folder.full_path(file.name), file.size, int(time.time() * 1000), parsed
        )
        files = kernel.internal.util.Utils.singletonCloseableIterator(status)
        actions = kernel.Transaction.generateAppendActions(engine, state, files, context)
        return transaction.commit(engine, iterable.inMemoryIterable(actions))
