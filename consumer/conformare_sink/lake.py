"""The lake: one Delta table per grain, and the sink's own pending and quarantine tables beside them."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

from delta.tables import DeltaTable
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from conformare_schemas import (
    CHILD_GRAINS,
    GRAINS,
    ForeignTableError,
    grain_table,
    open_table,
    path_identifier,
    table_columns,
    table_path,
)
from conformare_sink.assembly import RUN_KEY, key_frame
from conformare_sink.decode import MESSAGE_COLUMNS
from conformare_sink.emission import RunKey
from conformare_sink.errors import LakeRefusedError
from conformare_sink.folder import Folder
from conformare_sink.lake_tables import PENDING, QUARANTINE
from conformare_sink.writer_lock import LOCK_FILE, sole_writer


@dataclass(frozen=True)
class Lake:
    """A lake that is open for reading and appending.

    Args:
        spark: The sink's session.
        root: Folder of the lake: a local path or a URI.
    """

    spark: SparkSession
    root: str

    def path(self, table: str) -> str:
        """Return the folder of a table."""
        return table_path(self.root, table)

    def read(self, table: str) -> DataFrame:
        """Return a table as it is now."""
        return self.spark.read.format("delta").load(self.path(table))

    def append(self, table: str, rows: DataFrame) -> None:
        """Append rows to a table in one commit."""
        rows.write.format("delta").mode("append").save(self.path(table))

    def quarantine(self, bad: DataFrame) -> None:
        """Append messages to quarantine, but those that are there already.

        Args:
            bad: `MESSAGE_COLUMNS` and `cause`; a batch or a topic may be read more than once.
        """
        place = ["topic", "partition", "offset", "timestamp"]
        new = bad.join(self.read(QUARANTINE.name).select(*place), place, "left_anti")
        rows = new.select(*MESSAGE_COLUMNS, "cause", F.current_timestamp().alias("quarantined_at"))
        self.append(QUARANTINE.name, rows.coalesce(1))

    @property
    def lake_id(self) -> str:
        """The identity of this lake: another one at the same place has another."""
        detail = self.spark.sql(f"DESCRIBE DETAIL {path_identifier(self.root, 'runs')}")
        return str(detail.select("id").head()["id"])  # type: ignore[index]  # one row, always

    def known_runs(self, runs: Collection[RunKey]) -> set[RunKey]:
        """Return which of some runs the lake holds."""
        if not runs:
            return set()
        return {RunKey(*row) for row in self._rows_of("runs", runs).select(*RUN_KEY).collect()}

    def remove_leftovers(self, runs: Collection[RunKey]) -> dict[str, int]:
        """Delete child rows of runs that `runs` does not hold: a crash left them.

        Args:
            runs: Runs that are about to land; at least one.

        Returns:
            Table → runs whose rows were deleted, for tables that had any.
        """
        with ThreadPoolExecutor(len(CHILD_GRAINS), "leftovers") as pool:
            counts = pool.map(lambda grain: self._remove_rows(grain, runs), CHILD_GRAINS)
        return {grain: n for grain, n in zip(CHILD_GRAINS, counts, strict=True) if n}

    def _remove_rows(self, table: str, runs: Collection[RunKey]) -> int:
        found = self._rows_of(table, runs).select(*RUN_KEY).distinct().collect()
        if found:
            keys = key_frame(self.spark, [RunKey(*row) for row in found])
            same_run = " AND ".join(f"t.{column} = k.{column}" for column in RUN_KEY)
            rows = DeltaTable.forPath(self.spark, self.path(table)).alias("t")
            rows.merge(keys.alias("k"), same_run).whenMatchedDelete().execute()
        return len(found)

    def _rows_of(self, table: str, runs: Collection[RunKey]) -> DataFrame:
        """The rows of some runs; the range of run_ids prunes files by their statistics."""
        run_ids = [run.run_id for run in runs]
        in_range = F.col("run_id").between(min(run_ids), max(run_ids))
        keys = key_frame(self.spark, runs)
        return self.read(table).where(in_range).join(keys, RUN_KEY, "left_semi")


def is_lake(spark: SparkSession, root: str) -> bool:
    """Return whether a folder holds a lake, by its table `runs`, which is created first."""
    return Folder(spark, root).has("runs/_delta_log")


@contextmanager
def open_for_writing(spark: SparkSession, root: str, purpose: str) -> Iterator[Lake]:
    """Open a lake as its only writer, creating the tables that it does not have yet.

    Args:
        spark: The sink's session.
        root: Folder of the lake: a local path or a URI.
        purpose: What writes, for another writer that is refused meanwhile.

    Raises:
        LakeRefusedError: The folder holds something that is not a lake of ours.
        LakeBusyError: Another process writes to the lake.
    """
    strangers = [name for name in Folder(spark, root).names() if name != LOCK_FILE]
    if strangers and not is_lake(spark, root):
        raise LakeRefusedError(
            f"{root} is not empty and is not a conformare lake; choose an empty or a new folder"
        )
    with sole_writer(root, purpose):
        try:
            for table in (*map(grain_table, GRAINS), PENDING, QUARANTINE):
                open_table(spark, table, path_identifier(root, table.name))
        except ForeignTableError as exc:
            raise LakeRefusedError(str(exc)) from exc
        yield Lake(spark, root)


def table_column_names(grain: str) -> list[str]:
    """Return the columns of a grain's table in their order."""
    return [column.name for column in table_columns(grain)]
