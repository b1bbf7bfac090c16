"""Rows of a table of the lake are deleted by their keys."""

from __future__ import annotations

from collections.abc import Collection
from functools import reduce

import pyarrow as pa
from delta.tables import DeltaTable
from py4j.protocol import Py4JError
from pyspark.errors import PySparkException
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from conformare_sink.emission import RunKey
from conformare_sink.errors import TableWriteError
from conformare_sink.tables import LakeTables

RUN_KEY = list(RunKey._fields)

_PRUNING_TYPES = {"string", "int", "bigint"}
"""Types of columns by whose range files are skipped."""


def key_frame(spark: SparkSession, keys: pa.Table) -> DataFrame:
    """Return keys that are in this process as a frame."""
    return F.broadcast(spark.createDataFrame(keys))


def run_keys(spark: SparkSession, runs: Collection[RunKey]) -> DataFrame:
    """Return runs as a frame of their keys."""
    columns = [pa.array(column, pa.string()) for column in zip(*runs, strict=True)]
    return key_frame(spark, pa.table(columns, names=RUN_KEY))


def delete_rows(tables: LakeTables, table: str, keys: DataFrame) -> int:
    """Delete the rows of a table that agree with one of some keys in every column of the keys.

    Args:
        tables: The lake's tables.
        table: Which of them.
        keys: None of their values is null.

    Returns:
        How many rows there were.

    Raises:
        TableWriteError: Delta refused; nothing was deleted from this table then.
    """
    identifier = tables.identifier(table)
    ranged = [name for name, kind in keys.dtypes if kind in _PRUNING_TYPES]
    same = [F.col(f"t.{name}") == F.col(f"k.{name}") for name in keys.columns]
    try:
        n_keys, *bounds = keys.agg(
            F.count(F.lit(1)), *map(F.min, ranged), *map(F.max, ranged)
        ).collect()[0]
        if n_keys == 0:
            return 0
        # Only files within these bounds are read.
        near = [
            F.col(f"t.{name}").between(low, high)
            for name, low, high in zip(ranged, bounds, bounds[len(ranged) :], strict=False)
        ]
        stored = DeltaTable.forName(tables.spark, identifier).alias("t")
        merge = stored.merge(keys.alias("k"), reduce(Column.__and__, [*near, *same]))
        return int(merge.whenMatchedDelete().execute().collect()[0]["num_deleted_rows"])
    except (PySparkException, Py4JError) as exc:
        raise TableWriteError(identifier, first_line(exc)) from exc


def first_line(exc: Exception) -> str:
    """Return what an error of Spark or Java says, without its trace."""
    return (str(exc).strip() or type(exc).__name__).splitlines()[0]
