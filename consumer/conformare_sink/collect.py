"""A micro-batch comes into this process, in portions that its memory can hold."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa
from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from conformare_schemas import PRODUCER_HEADER, SEQUENCE_HEADER
from conformare_sink.message import MESSAGE_COLUMNS, Message, messages_of

MOST_PORTIONS = 4_096

_TOO_LARGE = "spark.driver.maxResultSize"
"""Stands in the message of Spark's error where a result exceeds that setting."""


@dataclass(frozen=True)
class Portion:
    """Some messages of a micro-batch; no run is in two portions."""

    messages: list[Message]
    sequences: set[tuple[str, int]]
    """Producers and the sequence numbers of their emissions, where messages name them."""


def with_sequences(messages: DataFrame) -> DataFrame:
    """Return messages with the columns `producer` and `sequence`, taken from their headers.

    Args:
        messages: `MESSAGE_COLUMNS` and `headers`, as Spark reads them from Kafka.
    """
    return messages.select(
        *MESSAGE_COLUMNS,
        _header(PRODUCER_HEADER).alias("producer"),
        _header(SEQUENCE_HEADER).try_cast("long").alias("sequence"),
    )


def portions(batch: DataFrame) -> Iterator[Portion]:
    """Collect a micro-batch: in one portion, or by key in as many as its size demands.

    Args:
        batch: What `with_sequences` returns, for one micro-batch.
    """
    return map(_portion, by_key(batch, "key"))


def by_key(rows: DataFrame, key: str, count: int = 1, number: int = 0) -> Iterator[pa.Table]:
    """Collect rows in as few tables as this process's memory allows; no two share a key.

    How many messages a batch has is limited, how large they are is not. Spark gives up before its
    driver's memory does (`spark.driver.maxResultSize`); then the rows are read once for each
    table, which is slow and safe.

    Args:
        rows: What is collected.
        key: Name of the column that has the key.
        count: How many tables there are.
        number: Which of them is collected.
    """
    mine = F.pmod(F.hash(key), F.lit(count)) == number
    try:
        table = (rows if count == 1 else rows.where(mine)).toArrow()
    except (PySparkException, Py4JJavaError) as exc:
        if _TOO_LARGE not in str(exc) or count == MOST_PORTIONS:
            raise
        # What is in table n of c is in tables n and n + c of 2c.
        yield from by_key(rows, key, 2 * count, number)
        yield from by_key(rows, key, 2 * count, number + count)
    else:
        yield table


def _portion(table: pa.Table) -> Portion:
    pairs = table.select(["producer", "sequence"]).drop_null().group_by(["producer", "sequence"])
    columns = pairs.aggregate([]).to_pydict()
    sequences = set(zip(columns["producer"], columns["sequence"], strict=True))
    return Portion(messages_of(table), sequences)


def _header(name: str) -> Column:
    named = F.filter("headers", lambda header: header["key"] == name)
    return F.try_element_at(named, F.lit(1))["value"].cast("string")
