"""What Spark and Python have to agree on: portions of a batch, and headers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timezone
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from conformare_sink.kafka.source import as_messages
from conformare_sink.messages.headers import sequence_of
from conformare_sink.messages.message import (
    LARGEST_AT_FIRST,
    LARGEST_MESSAGE,
    LONGEST_KEY,
    Message,
    Weighed,
)
from conformare_sink.spark import collect, portion
from conformare_sink.spark.collect import Collector
from conformare_sink.spark.dealing import Ranges, bucket
from conformare_sink.spark.portion import Portion

MEGABYTE = 1_000_000
MESSAGES = "key binary, value binary, topic string, partition int, offset long, timestamp timestamp"
HEADERS = "headers array<struct<key string, value binary>>"
NOW = datetime(2026, 1, 2, 3, 4, 5, 678901, timezone.utc)
NOW_MICROS = int(NOW.timestamp()) * 1_000_000 + NOW.microsecond


class Again:
    """A batch that is read again as often as somebody asks.

    Args:
        rows: Its messages as Spark reads them from Kafka, all of one partition.
        at_first: Bytes of the largest message whose value is in the stream.
        most: Bytes of the largest whose value is read again.
    """

    def __init__(
        self, rows: DataFrame, at_first: int = LARGEST_AT_FIRST, most: int = LARGEST_MESSAGE
    ) -> None:
        self.rows = rows
        self.at_first, self.most = at_first, most
        self.reads = 0

    @property
    def batch(self) -> DataFrame:
        """The messages as the stream has them."""
        return as_messages(self.rows, self.at_first)

    def read(self, ranges: Ranges, records_at_once: int | None = None) -> DataFrame:
        """Return them once more."""
        assert records_at_once is None
        assert ranges
        self.reads += 1
        return as_messages(self.rows, self.most)

    def forget(self) -> None:
        """Do nothing."""

    def one_by_one(self, ranges: Ranges) -> Iterator[Weighed]:
        """Return nothing: no memory fails."""
        raise AssertionError(ranges)

    def portions(self, messages: int) -> list[Portion]:
        """Collect the batch."""
        return list(Collector(self).portions(self.batch, {("topic", 0): (0, messages)}))


def large_batch(spark: SparkSession, key: Column, megabytes: int, messages: int = 200) -> Again:
    """Two hundred messages, more than Spark's driver takes at once."""
    assert spark.sparkContext.getConf().get("spark.driver.maxResultSize") == "128m"
    rows = spark.range(messages).select(
        key.cast("string").cast("binary").alias("key"),
        F.repeat(F.lit("x"), F.lit(megabytes)).cast("binary").alias("value"),
        F.lit("topic").alias("topic"),
        F.lit(0).alias("partition"),
        F.col("id").alias("offset"),
        F.lit(NOW).alias("timestamp"),
        F.lit(None).cast("array<struct<key string, value binary>>").alias("headers"),
    )
    return Again(rows)


def test_a_batch_that_exceeds_memory_comes_in_portions(spark: SparkSession) -> None:
    """Each message once, and all of a run's in one portion, of which none is too heavy."""
    found = large_batch(spark, F.col("id") % 9, MEGABYTE).portions(200)
    assert sorted(m.offset for one in found for m in one.messages) == list(range(200))
    assert len(found) > 2
    assert sum(len({m.key for m in one.messages}) for one in found) == 9
    sizes = [sum(len(m.value or b"") for m in one.messages) for one in found]
    assert max(sizes) <= portion.PORTION_WEIGHT


@pytest.mark.parametrize("key", [None, "one"])
def test_what_has_no_key_of_its_own_comes_in_portions_too(
    spark: SparkSession, key: str | None
) -> None:
    """Whoever sends garbage sends it without a key, or all of it under one."""
    found = large_batch(spark, F.lit(key), MEGABYTE).portions(200)
    assert sorted(m.offset for one in found for m in one.messages) == list(range(200))
    sizes = [sum(len(m.value or b"") for m in one.messages) for one in found]
    assert max(sizes) <= portion.PORTION_WEIGHT


def test_many_light_messages_that_are_too_much_for_the_driver_are_dealt_out(
    spark: SparkSession,
) -> None:
    """No message is heavier than its share, and all together are more than Spark hands over."""
    batch = large_batch(spark, F.col("id"), LARGEST_AT_FIRST - 3, 512)
    found = batch.portions(512)
    assert sorted(m.offset for one in found for m in one.messages) == list(range(512))
    assert len(found) == 2
    assert batch.reads == 1


def test_a_light_batch_is_collected_once(spark: SparkSession) -> None:
    """That is nearly all of them, and what they wait for is felt."""
    batch = large_batch(spark, F.col("id"), 1000)
    (found,) = batch.portions(200)
    assert len(found.messages) == 200
    assert batch.reads == 0


class Sent(NamedTuple):
    """A message as somebody sends it, whoever that is."""

    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]] | None

    @property
    def weight(self) -> int:
        """Bytes of key and value."""
        return len(self.key or b"") + len(self.value or b"")


# Everything is a ten-thousandth of what it is, so that there is some of all.
LIMITS: Mapping[str, int] = {
    "LARGEST_MESSAGE": 1600,
    "LARGEST_AT_FIRST": 26,
    "MOST_AT_ONCE": 300,
    "MOST_MESSAGES_AT_ONCE": 40,
    "PORTION_WEIGHT": 8000,
    "LEAST_WEIGHT": 30,
}
KEYS = st.none() | st.binary(max_size=2) | st.integers(990, 1700).map(bytes)
VALUES = st.none() | st.binary(max_size=30) | st.integers(0, 1700).map(bytes)
NAMES = st.sampled_from(["conformare.producer", "conformare.sequence", "x", ""])
HEADER_VALUES = (
    st.none() | st.binary(max_size=3) | st.sampled_from([b"1", b"producer", bytes(5000)])
)
SENT = st.builds(
    Sent, KEYS, VALUES, st.none() | st.lists(st.tuples(NAMES, HEADER_VALUES), max_size=4)
)


@settings(max_examples=10)
@given(st.lists(SENT, min_size=1, max_size=60))
def test_each_message_comes_once_whatever_it_is(spark: SparkSession, sent: list[Sent]) -> None:
    """Any keys, values, headers, sizes and counts: read, or named with its size; none too many."""
    rows = [(m.key, m.value, "topic", 0, n, NOW, m.headers) for n, m in enumerate(sent)]
    with pytest.MonkeyPatch.context() as patch:
        for name, limit in LIMITS.items():
            patch.setattr(collect, name, limit)
            if hasattr(portion, name):
                patch.setattr(portion, name, limit)
        limits = (LIMITS["LARGEST_AT_FIRST"], LIMITS["LARGEST_MESSAGE"])
        batch = Again(spark.createDataFrame(rows, f"{MESSAGES}, {HEADERS}"), *limits)
        found = batch.portions(len(sent))
    is_light = [m.weight <= LIMITS["LARGEST_MESSAGE"] for m in sent]
    messages = sorted((m for one in found for m in one.messages), key=lambda m: m.offset)
    assert messages == [
        Message(m.key, m.value, "topic", 0, n, NOW_MICROS)
        for n, m in enumerate(sent)
        if is_light[n]
    ]
    too_large = sorted((r for one in found for r in one.too_large), key=lambda r: r.message.offset)
    assert [(r.message, r.n_bytes) for r in too_large] == [
        (
            Message(
                m.key if m.key is None or len(m.key) <= LONGEST_KEY else None,
                *(None, "topic", 0, n, NOW_MICROS),
            ),
            m.weight,
        )
        for n, m in enumerate(sent)
        if not is_light[n]
    ]
    said = (
        sequence_of(*map(dict(m.headers or ()).get, NAMES_OF_OURS)) for m in sent if ours_once(m)
    )
    assert {one for one in said if one} <= set().union(*(one.sequences for one in found))
    hold(found, sent)


NAMES_OF_OURS = ("conformare.producer", "conformare.sequence")


def ours_once(message: Sent) -> bool:
    """Whether a message has no header of ours twice."""
    names = [name for name, _ in message.headers or () if name in NAMES_OF_OURS]
    return len(names) == len(set(names))


def hold(found: Sequence[Portion], sent: Sequence[Sent]) -> None:
    """Make sure that no portion is too heavy, and that no key is in two without need."""
    weights: dict[int, int] = defaultdict(int)
    where: dict[int, set[int]] = defaultdict(set)
    for number, one in enumerate(found):
        places = [*one.messages, *(rejected.message for rejected in one.too_large)]
        taken = [
            max(len(m.key or b"") + len(m.value or b""), LIMITS["LEAST_WEIGHT"]) for m in places
        ]
        assert sum(taken) <= LIMITS["PORTION_WEIGHT"] + LIMITS["LARGEST_MESSAGE"]
        for message, weight in zip(places, taken, strict=True):
            key = bucket(sent[message.offset].key)
            weights[key] += weight
            where[key].add(number)
    assert all(len(where[key]) == 1 for key in where if weights[key] <= LIMITS["PORTION_WEIGHT"])


def test_producers_and_their_sequences_come_from_the_headers(spark: SparkSession) -> None:
    """Hostile and missing ones are none: a byte that is no text beside a number ended the sink."""
    headers = [
        [("conformare.producer", b"a"), ("conformare.sequence", b"1")],
        [("conformare.producer", b"a"), ("conformare.sequence", b"1")],
        [("conformare.sequence", b"99999999999999999999"), ("conformare.producer", b"a")],
        [("conformare.sequence", b"\xff"), ("conformare.producer", b"\xff")],
        [("conformare.sequence", b"7"), ("conformare.producer", b"\xff")],
        [("conformare.sequence", b"8"), ("conformare.producer", bytes(MEGABYTE))],
        [("conformare.sequence", None), ("conformare.producer", None)],
        [("x", b"y")] * 1000 + [("conformare.sequence", b"2"), ("conformare.producer", b"c")],
        [("conformare.producer", b"b")],
        [],
        None,
    ]
    rows = [(b"k", b"v", "topic", 0, n, NOW, those) for n, those in enumerate(headers)]
    (found,) = Again(spark.createDataFrame(rows, f"{MESSAGES}, {HEADERS}")).portions(len(rows))
    assert found.sequences == {("a", 1), ("c", 2)}
    assert [m.timestamp for m in found.messages] == [NOW_MICROS] * len(rows)
