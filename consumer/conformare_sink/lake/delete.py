"""Rows of a table of the lake are deleted by their keys."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any

import pyarrow as pa
from delta.tables import DeltaTable
from py4j.protocol import Py4JError
from pyspark.errors import PySparkException
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from conformare_sink.errors import TableWriteError, first_line
from conformare_sink.lake.append import FENCE
from conformare_sink.lake.tables import LakeTables
from conformare_sink.messages.emission import RunKey

RUN_KEY = list(RunKey._fields)

_PRUNING_TYPES = {"string", "int", "bigint"}
"""Types of columns by whose range files are skipped."""


@dataclass(frozen=True)
class Keys:
    """Keys of rows, for any number of tables.

    Args:
        frame: Their columns; none of the values is null.
        bounds: Of every text and number among the columns, the least and the greatest value: only
            files within these are read. None where there are no keys.
    """

    frame: DataFrame
    bounds: Mapping[str, tuple[Any, Any]] | None

    @classmethod
    def of(cls, frame: DataFrame) -> Keys:
        """Return the keys that a frame has, and that it keeps having."""
        ranged = [name for name, kind in frame.dtypes if kind in _PRUNING_TYPES]
        n_keys, *extremes = frame.agg(
            F.count(F.lit(1)), *map(F.min, ranged), *map(F.max, ranged)
        ).collect()[0]
        ends = zip(extremes, extremes[len(ranged) :], strict=False)
        return cls(frame, dict(zip(ranged, ends, strict=True)) if n_keys else None)

    @classmethod
    def of_table(cls, spark: SparkSession, keys: pa.Table) -> Keys:
        """Return keys that are in this process."""
        return cls.of(spark.createDataFrame(keys))

    @classmethod
    def of_runs(cls, spark: SparkSession, runs: Collection[RunKey]) -> Keys:
        """Return the keys of runs."""
        columns = [pa.array(column, pa.string()) for column in zip(*runs, strict=True)]
        return cls.of_table(spark, pa.table(columns, names=RUN_KEY))


Delete = Callable[[str, Keys], int]
"""Deletes the rows of a table that have one of some keys; returns how many there were."""


def delete_rows(tables: LakeTables, table: str, keys: Keys, turn: int | None) -> int:
    """Delete the rows of a table that agree with one of some keys in every column of the keys.

    Args:
        tables: The lake's tables.
        table: Which of them.
        keys: The keys.
        turn: Number of the commit, as the table's `next_turn` has it.

    Returns:
        How many rows there were.

    Raises:
        TableWriteError: Delta refused, for another writer has taken the lake over, or for any other
            reason; nothing was deleted from this table then.
    """
    if keys.bounds is None:
        return 0
    near = [F.col(f"t.{name}").between(*ends) for name, ends in keys.bounds.items()]
    same = [F.col(f"t.{name}") == F.col(f"k.{name}") for name in keys.frame.columns]
    identifier = tables.identifier(table)
    try:
        stored = DeltaTable.forName(_session(tables.spark, turn), identifier).alias("t")
        merge = stored.merge(keys.frame.alias("k"), reduce(Column.__and__, [*near, *same]))
        counts = merge.whenMatchedDelete().execute().collect()
    except (PySparkException, Py4JError) as exc:
        raise TableWriteError(identifier, first_line(exc)) from exc
    # Delta passes over what has a number that the table's log has left behind, and counts nothing.
    if not counts:
        raise TableWriteError(identifier, "another writer has taken the lake over")
    return int(counts[0]["num_deleted_rows"])


def _session(spark: SparkSession, turn: int | None) -> SparkSession:
    """Return a session whose next commit has a number; of its own, for threads delete at once."""
    if turn is None:
        return spark
    session = spark.newSession()
    session.conf.set("spark.databricks.delta.write.txnAppId", FENCE)
    session.conf.set("spark.databricks.delta.write.txnVersion", str(turn))
    return session
