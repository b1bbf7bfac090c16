"""A micro-batch comes into this process, in portions that its memory and Java's can hold.

What comes is bounded before it comes. Every message has an equal share of what may be collected at
once, and one that is heavier than its share leaves its value behind and brings its weight. Nearly
all batches have no such message, and are one portion that took one job. For the others the weights
are known then: Spark reads again what was left behind, deals it out by key on its disks, and the
portions are collected one after the other.

Where Java's memory does not suffice all the same, as for what a few bytes were compressed from, the
batch is read again in halves, and at last message by message.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from itertools import groupby
from typing import Protocol

import numpy as np
import pyarrow as pa
from py4j.protocol import Py4JError
from pyspark.errors import PySparkException
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from conformare_sink.messages.message import (
    LARGEST_AT_FIRST,
    LARGEST_MESSAGE,
    LATEST_TIME,
    LONGEST_KEY,
    Message,
    Weighed,
)
from conformare_sink.spark.dealing import (
    BUCKETS,
    SPREADS,
    Deal,
    Ranges,
    bucket,
    count,
    deal,
    halves,
)
from conformare_sink.spark.faults import Fault, fault_of
from conformare_sink.spark.portion import LEAST_WEIGHT, PORTION_WEIGHT, Portion, weights_here

logger = logging.getLogger("conformare_sink")

MOST_AT_ONCE = 128 * 1024 * 1024
"""Bytes that one job collects at worst; `spark.driver.maxResultSize` is the same."""
MOST_MESSAGES_AT_ONCE = 100_000
PIECES = 8
"""Of a portion, each collected by itself: on its way out of Java a piece is there several times."""
FEWEST_IN_A_HALF = 1000
"""Messages; so few are read one by one instead."""
RECORDS_AT_ONCE = 50
"""How many records a consumer makes at once of what it has fetched, where more were too many."""

_NOTHING: Iterator[Weighed] = iter(())
HELPED_BY_PARTS = {Fault.MEMORY, Fault.RESULT_TOO_LARGE, Fault.UNREADABLE}
"""Faults that do not happen where fewer messages come at once."""

Read = Callable[[], DataFrame]
"""Reads messages again, with values up to `LARGEST_MESSAGE`."""


class Source(Protocol):
    """Where the messages of a batch can be read again."""

    def read(self, ranges: Ranges, records_at_once: int | None = None) -> DataFrame:
        """Return messages as the stream has them, but with values up to `LARGEST_MESSAGE`.

        Args:
            ranges: Which ones.
            records_at_once: How many records a consumer makes at once of what it has fetched; None
                for as many as is fast.
        """

    def forget(self) -> None:
        """Let go of what was read before and is still held."""

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

    def portions(self, batch: DataFrame, ranges: Ranges) -> Iterator[Portion]:
        """Collect a micro-batch: in one portion, or in as many as its weight demands.

        Each message comes once. Only where Java's memory fails between two portions, whose weights
        are known by then, do all come again.

        Args:
            batch: Messages, as the stream has them.
            ranges: Where they are in Kafka.
        """
        # A column more would take longer than the messages of a small batch.
        is_light = _share(count(ranges)) == LARGEST_AT_FIRST
        light = batch if is_light else _lighter(batch, ranges)
        read = partial(self._source.read, ranges)
        for portion in self._attempt(light, ranges, read, RECORDS_AT_ONCE):
            yield portion
            del portion
            # What Arrow has kept of the memory for this one is not what the next one gets.
            pa.default_memory_pool().release_unused()

    def dealt(self, rows: DataFrame) -> Iterator[Portion]:
        """Collect messages of which it is known that they are heavy, in portions.

        Args:
            rows: As `Source.read` returns them, with the values of all that may be read.
        """
        return _all_dealt(rows)

    def _attempt(
        self, light: DataFrame, ranges: Ranges, read: Read, records_at_once: int
    ) -> Iterator[Portion]:
        try:
            yield from _portions(light, ranges, read)
        except (PySparkException, Py4JError) as exc:
            if (fault := fault_of(exc)) not in HELPED_BY_PARTS:
                raise
        else:
            return
        logger.warning("%d messages are read again in parts: %s", count(ranges), fault.value)
        self._source.forget()
        yield from self._in_parts(ranges, records_at_once)

    def _in_parts(self, ranges: Ranges, records_at_once: int) -> Iterator[Portion]:
        if count(ranges) < 2 * FEWEST_IN_A_HALF:
            yield from _one_by_one(self._source.one_by_one(ranges))
            return
        for half in halves(ranges):
            read = partial(self._source.read, half, records_at_once)
            light = _lighter(read(), half)
            portions = self._attempt(light, half, read, max(1, records_at_once // 4))
            yield from map(partial(replace, is_whole=False), portions)


def _share(messages: int) -> int:
    """Return what each of so many messages may weigh where all come at once, in bytes."""
    share = LARGEST_AT_FIRST
    # Spark compiles code for each share that it meets: so there are few.
    while share * messages > MOST_AT_ONCE:
        share //= 2
    return share


def _lighter(rows: DataFrame, ranges: Ranges) -> DataFrame:
    """Return messages without the values of those that are heavier than their share."""
    is_light = F.col("weight") <= _share(count(ranges))
    return rows.withColumns(
        {
            "key": F.when(is_light | (F.octet_length("key") <= LONGEST_KEY), F.col("key")),
            "value": F.when(is_light, F.col("value")),
        }
    )


def _portions(light: DataFrame, ranges: Ranges, read: Read) -> Iterator[Portion]:
    """Return the portions of some messages.

    Args:
        light: The messages, without the values of those that are heavier than their share.
        ranges: Where they are in Kafka.
        read: Reads them again.
    """
    if count(ranges) <= MOST_MESSAGES_AT_ONCE:
        try:
            table = light.toArrow()
        except (PySparkException, Py4JError) as exc:
            if fault_of(exc) is not Fault.RESULT_TOO_LARGE:
                raise
        else:
            portions = _by_weight(table, _share(count(ranges)), read)
            del table  # it is let go of when its messages are there
            yield from portions
            return
    yield from _all_dealt(read())


def _by_weight(table: pa.Table, share: int, read: Read) -> Iterator[Portion]:
    """Return the portions of messages of which all is collected that is light."""
    weights = table["weight"].to_numpy()
    is_behind = (weights > share) & (weights <= LARGEST_MESSAGE)
    here = weights_here(weights)
    if here.sum() <= PORTION_WEIGHT and not is_behind.any():
        whole = Portion.of_table(table, is_whole=True)
        del table
        yield whole
        return
    buckets = np.fromiter(map(bucket, table["key"].to_pylist()), np.int64, len(table))
    spreads = table["offset"].to_numpy() % SPREADS
    dealt = deal(buckets, spreads, here, PORTION_WEIGHT)
    portion_of = np.where(is_behind, -1, dealt.portion_of(buckets, spreads))
    behind: Iterator[tuple[int, Iterator[Weighed]]] = iter(())
    if is_behind.any():
        is_wanted = (F.col("weight") > share) & (F.col("weight") <= LARGEST_MESSAGE)
        behind = _dealt(read().where(is_wanted), dealt)
    number, others = -1, _NOTHING
    for n in range(dealt.portions):
        if number < n:
            number, others = next(behind, (dealt.portions, _NOTHING))
        # Without a name, which would hold the portion while the next one is made.
        yield Portion.of_table(
            table.filter(pa.array(portion_of == n)), others if number == n else _NOTHING
        )


def _all_dealt(rows: DataFrame) -> Iterator[Portion]:
    """Return the portions of messages of which nothing is collected yet."""
    is_light = F.col("weight") <= LARGEST_MESSAGE
    here = F.greatest(F.when(is_light, F.col("weight")), F.lit(LEAST_WEIGHT))
    sums = rows.groupBy(bucket_of().alias("bucket"), _spread().alias("spread")).agg(
        F.sum(here).alias("weight")
    )
    table = sums.toArrow()
    buckets, spreads, weights = (table[name].to_numpy() for name in sums.columns)
    for _, messages in _dealt(rows, deal(buckets, spreads, weights, PORTION_WEIGHT)):
        yield Portion.of(messages)


def _dealt(rows: DataFrame, dealt: Deal) -> Iterator[tuple[int, Iterator[Weighed]]]:
    """Let Spark read messages once and deal them out on its disks; return them by portion."""
    of_bucket, of_spread = (
        F.expr(f"array({','.join(map(str, portions))})")
        for portions in (dealt.of_bucket, dealt.of_spread)
    )
    by_bucket = F.get(of_bucket, bucket_of())
    portion = F.when(by_bucket < 0, F.get(of_spread, _spread())).otherwise(by_bucket)
    piece = portion * PIECES + F.pmod("offset", F.lit(PIECES)).cast("int")
    time = F.least(F.unix_micros("timestamp"), F.lit(LATEST_TIME))
    columns = ["key", "value", "topic", "partition", "offset"]
    pieces = rows.select(
        piece.alias("piece"), *columns, time, "weight", "producer", "sequence"
    ).repartitionById(dealt.portions * PIECES, "piece")
    for number, group in groupby(pieces.toLocalIterator(), lambda row: row[0] // PIECES):
        yield number, (Weighed(Message(*row[1:7]), *row[7:]) for row in group)


def bucket_of() -> Column:
    """As `dealing.bucket` has it."""
    is_short = F.octet_length("key") <= LONGEST_KEY
    checksum = F.when(is_short, F.crc32("key"))
    return F.coalesce(F.pmod(checksum, F.lit(BUCKETS)), F.lit(0)).cast("int")


def _spread() -> Column:
    return F.pmod("offset", F.lit(SPREADS)).cast("int")


def _one_by_one(messages: Iterator[Weighed]) -> Iterator[Portion]:
    portion, filled = Portion(), 0
    for one in messages:
        portion.add([one])
        size = len(one.message.key or b"") + len(one.message.value or b"")
        filled += max(size, LEAST_WEIGHT)
        if filled > PORTION_WEIGHT:
            yield portion
            portion, filled = Portion(), 0
    yield portion
