"""A micro-batch comes into this process, in portions that its memory and Java's can hold.

What comes is bounded before it comes. Every message has an equal share of what may be collected at
once, and one that is heavier than its share leaves its bytes behind and brings its weight. Nearly
all batches have no such message, and are one portion that took one job. For the others the weights
are known then: Spark deals out by key, on its disks, what was left behind, and the portions are
collected one after the other.

Where Java's memory does not suffice all the same, as for what a few bytes were compressed from, the
batch is read again in halves, and at last message by message.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter
from typing import Protocol

import pyarrow as pa
from py4j.protocol import Py4JError
from pyspark.errors import PySparkException
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from conformare_sink.messages.message import (
    LARGEST_MESSAGE,
    LATEST_TIME,
    MESSAGE_COLUMNS,
    Message,
    Weighed,
)
from conformare_sink.spark.dealing import BUCKETS, SPREADS, Deal, Ranges, count, deal, halves
from conformare_sink.spark.faults import Fault, fault_of
from conformare_sink.spark.portion import MESSAGE_WEIGHT, Portion, weights_here

logger = logging.getLogger("conformare_sink")

MOST_AT_ONCE = 256 * 1024 * 1024
"""Bytes that one job collects at worst; `spark.driver.maxResultSize` is stricter, and later."""
MOST_MESSAGES_AT_ONCE = 100_000
PORTION_WEIGHT = 96 * 1024 * 1024
"""Bytes."""
FEWEST_IN_A_HALF = 128
"""Messages; so few are read one by one instead."""
RECORDS_AT_ONCE = 50
"""How many records a consumer makes at once of what it has fetched, where more were too many."""

_HELPED_BY_PARTS = {Fault.MEMORY, Fault.RESULT_TOO_LARGE, Fault.UNREADABLE}


class Source(Protocol):
    """Where the messages of a batch can be read again."""

    def read(self, ranges: Ranges, records_at_once: int) -> DataFrame:
        """Return messages as the stream has them.

        Args:
            ranges: Which ones.
            records_at_once: How many records a consumer makes at once of what it has fetched.
        """

    def one_by_one(self, ranges: Ranges) -> Iterator[Weighed]:
        """Read messages without Spark, each by itself.

        Args:
            ranges: Which ones.
        """


class Collector:
    """Collects the micro-batches of one stream.

    Args:
        source: Where they can be read again.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self._shares: dict[int, list[Column]] = {}

    def portions(self, batch: DataFrame, ranges: Ranges) -> Iterator[Portion]:
        """Collect a micro-batch: in one portion, or in as many as its weight demands.

        Each message comes once. Only where Java's memory fails between two portions, whose weights
        are known by then, do all come again.

        Args:
            batch: Messages, as the stream has them.
            ranges: Where they are in Kafka.
        """
        yield from self._attempt(batch, ranges, RECORDS_AT_ONCE)

    def _attempt(self, rows: DataFrame, ranges: Ranges, records_at_once: int) -> Iterator[Portion]:
        try:
            yield from self._collected(rows, count(ranges))
        except (PySparkException, Py4JError) as exc:
            if (fault := fault_of(exc)) not in _HELPED_BY_PARTS:
                raise
            logger.warning("%d messages are read again in parts: %s", count(ranges), fault.value)
            yield from self._in_parts(ranges, records_at_once)

    def _in_parts(self, ranges: Ranges, records_at_once: int) -> Iterator[Portion]:
        if count(ranges) < 2 * FEWEST_IN_A_HALF:
            yield from _one_by_one(self._source.one_by_one(ranges))
            return
        for half in halves(ranges):
            rows = self._source.read(half, records_at_once)
            yield from self._attempt(rows, half, max(1, records_at_once // 4))

    def _collected(self, rows: DataFrame, messages: int) -> Iterator[Portion]:
        share = _share(messages)
        table = None
        if messages <= MOST_MESSAGES_AT_ONCE:
            try:
                table = rows.select(*self._columns(share)).toArrow()
            except (PySparkException, Py4JError) as exc:
                if fault_of(exc) is not Fault.RESULT_TOO_LARGE:
                    raise
        yield from _all_dealt(rows) if table is None else _by_weight(rows, table, share)

    def _columns(self, share: int) -> list[Column]:
        """Return the columns in which what is heavier than a share leaves its bytes behind."""
        # To make them takes as long as to collect a few messages.
        if share not in self._shares:
            is_light = F.col("weight") <= share
            is_too_large = F.col("weight") > LARGEST_MESSAGE
            others = [name for name in MESSAGE_COLUMNS if name not in ("key", "value")]
            self._shares[share] = [
                F.when(is_light | is_too_large, F.col("key")).alias("key"),
                F.when(is_light, F.col("value")).alias("value"),
                *map(F.col, (*others, "producer", "sequence", "weight")),
                *_buckets(),
            ]
        return self._shares[share]


def _share(messages: int) -> int:
    """Return what each of so many messages may weigh where all come at once, in bytes."""
    share = LARGEST_MESSAGE
    # Spark compiles code for each share that it meets: so there are few.
    while share * messages > MOST_AT_ONCE:
        share //= 4
    return share


def _buckets() -> tuple[Column, Column]:
    by_key = F.pmod(F.hash("key"), F.lit(BUCKETS))
    by_place = F.pmod(F.hash("topic", "partition", "offset"), F.lit(SPREADS))
    return by_key.alias("bucket"), by_place.alias("spread")


def _by_weight(rows: DataFrame, table: pa.Table, share: int) -> Iterator[Portion]:
    """Return the portions of a batch of which all is collected that is light."""
    weights = table["weight"].to_numpy()
    is_behind = (weights > share) & (weights <= LARGEST_MESSAGE)
    taken = weights_here(weights)
    if taken.sum() <= PORTION_WEIGHT and not is_behind.any():
        portion = Portion()
        portion.add_table(table)
        del table
        yield portion
        return
    buckets, spreads = table["bucket"].to_numpy(), table["spread"].to_numpy()
    dealt = deal(buckets, spreads, taken, PORTION_WEIGHT)
    portion_of = dealt.portion_of(buckets, spreads)
    portion_of[is_behind] = -1
    behind: Iterator[tuple[int, Iterator[Weighed]]] = iter(())
    if is_behind.any():
        is_wanted = (F.col("weight") > share) & (F.col("weight") <= LARGEST_MESSAGE)
        behind = _dealt(rows.where(is_wanted), dealt)
    number, messages = next(behind, (-1, iter(())))
    for n in range(dealt.portions):
        portion = Portion()
        portion.add_table(table.filter(pa.array(portion_of == n)))
        if number == n:
            portion.add(messages)
            number, messages = next(behind, (-1, iter(())))
        yield portion


def _all_dealt(rows: DataFrame) -> Iterator[Portion]:
    """Return the portions of a batch of which nothing is collected yet."""
    is_light = F.col("weight") <= LARGEST_MESSAGE
    here = F.when(is_light, F.col("weight")).otherwise(0) + MESSAGE_WEIGHT
    sums = rows.select(*_buckets(), here.alias("weight")).groupBy("bucket", "spread")
    table = sums.agg(F.sum("weight").alias("weight")).toArrow()
    buckets, spreads, weights = (table[name].to_numpy() for name in ("bucket", "spread", "weight"))
    for _, messages in _dealt(rows, deal(buckets, spreads, weights, PORTION_WEIGHT)):
        portion = Portion()
        portion.add(messages)
        yield portion


def _dealt(rows: DataFrame, dealt: Deal) -> Iterator[tuple[int, Iterator[Weighed]]]:
    """Let Spark deal messages out, and collect portion by portion; each once, so all in one pass."""
    by_key = f"element_at(array({','.join(map(str, dealt.of_bucket))}), bucket + 1)"
    by_place = f"element_at(array({','.join(map(str, dealt.of_spread))}), spread + 1)"
    number = F.expr(f"if({by_key} < 0, {by_place}, {by_key})")
    columns = ["key", "value", "topic", "partition", "offset"]
    time = F.least(F.unix_micros("timestamp"), F.lit(LATEST_TIME))
    shuffled = (
        rows.select("*", *_buckets())
        .select(number.alias("number"), *columns, time, "weight", "producer", "sequence")
        .repartitionById(dealt.portions, "number")
    )
    for number, group in groupby(shuffled.toLocalIterator(), itemgetter(0)):
        yield number, (Weighed(Message(*row[1:7]), *row[7:]) for row in group)


def _one_by_one(weighed: Iterator[Weighed]) -> Iterator[Portion]:
    portion, filled = Portion(), 0
    for one in weighed:
        portion.add([one])
        filled += MESSAGE_WEIGHT + len(one.message.key or b"") + len(one.message.value or b"")
        if filled > PORTION_WEIGHT:
            yield portion
            portion, filled = Portion(), 0
    yield portion
