"""Rows of a table come into this process, in as few pieces as its memory allows."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from conformare_sink.spark.faults import Fault, fault_of

MOST_PORTIONS = 256
"""By one key; what is still too large then is one key's, and is dealt by the next."""


def by_key(rows: DataFrame, *keys: str, count: int = 1, number: int = 0) -> Iterator[pa.Table]:
    """Collect rows in as few tables as this process's memory allows.

    How many messages a batch has is limited, how large they are is not. Spark gives up before its
    driver's memory does (`spark.driver.maxResultSize`); then the rows are read once for each
    table, which is slow and safe.

    Args:
        rows: What is collected.
        keys: Columns by which rows are dealt: no two tables share a value of the first, but where
            its rows alone are too large for one; those are dealt by the next.
        count: How many tables there are.
        number: Which of them is collected.
    """
    mine = rows if count == 1 else rows.where(F.pmod(F.hash(keys[0]), F.lit(count)) == number)
    try:
        table = mine.toArrow()
    except (PySparkException, Py4JJavaError) as exc:
        dealt_out = count == MOST_PORTIONS
        if fault_of(exc) is not Fault.RESULT_TOO_LARGE or (dealt_out and len(keys) == 1):
            raise
        if dealt_out:
            yield from by_key(mine, *keys[1:])
        else:
            # What is in table n of c is in tables n and n + c of 2c.
            yield from by_key(rows, *keys, count=2 * count, number=number)
            yield from by_key(rows, *keys, count=2 * count, number=number + count)
    else:
        yield table
