"""The lake: one Delta table per grain, and the sink's own pending and quarantine tables beside them."""

from __future__ import annotations

import json
import logging
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
    table_path,
)
from conformare_sink.assembly import RUN_KEY, key_frame
from conformare_sink.decode import MESSAGE_COLUMNS
from conformare_sink.emission import RunKey
from conformare_sink.errors import LakeRefusedError
from conformare_sink.folder import Folder
from conformare_sink.lake_tables import PENDING, QUARANTINE
from conformare_sink.writer_lock import LOCK_FILE, sole_writer

logger = logging.getLogger("conformare_sink")

LANDING_NOTE = "_landing.json"
"""In the lake's folder while runs are being appended: which ones."""


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

    @contextmanager
    def landing(self, runs: Collection[RunKey]) -> Iterator[None]:
        """Note which runs are about to be appended, and forget it when all of them are.

        A block that does not come to its end, whatever ends it, leaves the note behind for the next
        writer's `recover`.

        Args:
            runs: Runs that the lake does not hold.
        """
        self._folder.write_text(LANDING_NOTE, json.dumps([*map(list, runs)]))
        yield
        self._folder.remove(LANDING_NOTE)

    def recover(self) -> dict[str, int]:
        """Remove what a writer left that ended in the middle of landing: rows without their run.

        Returns:
            Table → runs whose rows were removed, for tables that had any.
        """
        if not self._folder.has(LANDING_NOTE):
            return {}
        try:
            noted = {RunKey(*run) for run in json.loads(self._folder.read_text(LANDING_NOTE))}
        except ValueError:
            noted = set()  # it ended while writing the note, so before it appended anything
        unfinished = noted - self.known_runs(noted)
        removed = {}
        if unfinished:
            with ThreadPoolExecutor(len(CHILD_GRAINS), "recover") as pool:
                counts = pool.map(lambda grain: self._remove_rows(grain, unfinished), CHILD_GRAINS)
            removed = {grain: n for grain, n in zip(CHILD_GRAINS, counts, strict=True) if n}
        self._folder.remove(LANDING_NOTE)
        return removed

    @property
    def _folder(self) -> Folder:
        return Folder(self.spark, self.root)

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
    """Open a lake as its only writer: tables created, what a crash left removed.

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
        _open_tables(spark, root)
        lake = Lake(spark, root)
        if removed := lake.recover():
            logger.info("removed rows that a crash had left without their run: %s", removed)
        yield lake


def _open_tables(spark: SparkSession, root: str) -> None:
    """Make sure that the tables are there and ours, `runs` first: it tells a lake."""
    folder = Folder(spark, root)
    try:
        for table in (*map(grain_table, GRAINS), PENDING, QUARANTINE):
            # The others are ours since the lake was made; asking Delta about each takes seconds.
            if table.name == "runs" or not folder.has(f"{table.name}/_delta_log"):
                open_table(spark, table, path_identifier(root, table.name))
    except ForeignTableError as exc:
        raise LakeRefusedError(str(exc)) from exc
