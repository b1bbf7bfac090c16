"""What waits for the rest of its emission, carried from micro-batch to micro-batch."""

from __future__ import annotations

from collections.abc import Collection

from delta.tables import DeltaTable
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from conformare_schemas import table_path
from conformare_sink.assembly import EMISSION_KEY, key_frame
from conformare_sink.decode import MESSAGE_COLUMNS
from conformare_sink.emission import Emission
from conformare_sink.lake_tables import PENDING


class PendingMessages:
    """The messages of incomplete emissions, as of the end of each micro-batch.

    A batch reads what the batch before it kept and writes what it keeps itself beside that, so
    executing a batch again reads and writes the same. The first batch of a process also takes over
    what other checkpoints left: their streams are gone, for a lake has one writer.

    Args:
        spark: The sink's session.
        root: Folder that holds the table `pending`: the lake's, or a replay's own.
        checkpoint_id: Identity of the stream's checkpoint; batch numbers mean nothing without it.
    """

    def __init__(self, spark: SparkSession, root: str, checkpoint_id: str) -> None:
        self._spark = spark
        self._path = table_path(root, PENDING.name)
        self._checkpoint_id = checkpoint_id
        self._first_batch: int | None = None
        self._known_empty = False

    def before(self, batch_id: int) -> DataFrame | None:
        """Return what waits when a batch begins, as `MESSAGE_COLUMNS`; None for nothing."""
        if self._first_batch is None:
            self._first_batch = batch_id
        if self._known_empty:
            return None
        table = self._spark.read.format("delta").load(self._path)
        waiting = table.where(self._read_by(batch_id)).select(*MESSAGE_COLUMNS)
        return None if waiting.isEmpty() else waiting

    def keep(self, batch_id: int, batch: DataFrame, waiting: Collection[Emission]) -> None:
        """Keep the messages of the emissions that wait at the end of a batch.

        Args:
            batch_id: The batch.
            batch: What `decode` returned for it and for what had waited before.
            waiting: The incomplete emissions.
        """
        if self._known_empty and not waiting:
            return
        # One commit drops what no batch will read again and adds what the next one will. What
        # this batch has read stays: should it be executed again, it reads the same.
        outdated = f"NOT ({self._read_by(batch_id)})"
        if waiting:
            rows = self._rows(batch_id, batch, waiting)
            replaced = rows.write.format("delta").mode("overwrite")
            replaced.option("replaceWhere", outdated).save(self._path)
            self._known_empty = False
        else:
            table = DeltaTable.forPath(self._spark, self._path)
            table.delete(outdated)
            self._known_empty = table.toDF().isEmpty()

    def _read_by(self, batch_id: int) -> str:
        """The condition, in SQL, for the rows that a batch reads."""
        own = f"checkpoint_id = '{self._checkpoint_id}'"
        own_before = f"{own} AND batch_id = {batch_id - 1}"
        return f"({own_before}) OR NOT ({own})" if batch_id == self._first_batch else own_before

    def _rows(self, batch_id: int, batch: DataFrame, waiting: Collection[Emission]) -> DataFrame:
        keys = key_frame(self._spark, [emission.key for emission in waiting])
        usable = batch.where(F.col("cause").isNull())
        rows = usable.join(keys, EMISSION_KEY, "left_semi").select(
            *(column.name for column in PENDING.columns[:-2]),
            F.lit(self._checkpoint_id).alias("checkpoint_id"),
            F.lit(batch_id).cast("long").alias("batch_id"),
        )
        return rows.coalesce(1)
