"""What Spark reads: the messages of all grain topics as one stream, or some of them again."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from conformare_schemas import PRODUCER_HEADER, SEQUENCE_HEADER
from conformare_sink.kafka.java_client import as_spark_options, java_settings, untold
from conformare_sink.kafka.offsets import PartitionOffsets, to_spark
from conformare_sink.kafka.one_by_one import forget_fetched, read_one_by_one
from conformare_sink.kafka.topics import Topics
from conformare_sink.messages.headers import LONGEST_PRODUCER
from conformare_sink.messages.message import (
    LARGEST_AT_FIRST,
    LARGEST_MESSAGE,
    LONGEST_KEY,
    MESSAGE_COLUMNS,
    Weighed,
)

RECORDS_AT_ONCE = 200
"""How many records a consumer makes at once of what it has fetched. Compressed they have a megabyte
at most, otherwise whatever their producer likes. More are not faster; far fewer are slower, for
Spark asks for a partition's offsets each time."""

KAFKA_TIMEOUTS = {
    # Spark's own are three attempts of a minute: an outage would go unnoticed for three minutes.
    # With these it is about 11 seconds between batches and 20 within one, while a leader that
    # moves, or a broker that restarts at once, is still waited for.
    "kafka.default.api.timeout.ms": "5000",
    "kafka.request.timeout.ms": "5000",
    "fetchOffset.numRetries": "2",
    # Longer than a broker with quotas holds a fetch back (11 windows of a second).
    "kafkaConsumer.pollTimeoutMs": "15000",
}

_OPTIONS = {
    "failOnDataLoss": "true",
    "includeHeaders": "true",
    # A consumer fetches ahead, and Spark asks it for offsets on the same connection: both wait so
    # long in every partition that has data, and a batch is read for nothing else.
    "kafka.fetch.max.wait.ms": "1",
}

Ranges = Mapping[tuple[str, int], tuple[int, int]]
"""(topic, partition) → its first offset, and the one behind its last."""


class KafkaSource:
    """The messages of all grain topics.

    Args:
        spark: A session from `build_session`.
        topics: The topics.
        chosen: Leaves out messages that are not wanted.
    """

    def __init__(
        self,
        spark: SparkSession,
        topics: Topics,
        chosen: Callable[[DataFrame], DataFrame] = lambda messages: messages,
    ) -> None:
        self._spark = spark
        self._topics = topics
        self._chosen = chosen
        settings = java_settings(topics.access)
        self._client = {"bootstrap.servers": topics.bootstrap_servers, **settings}
        self._options = {**as_spark_options(self._client), **KAFKA_TIMEOUTS, **_OPTIONS}

    def stream(
        self, max_messages_per_batch: int, starts: PartitionOffsets | None = None
    ) -> DataFrame:
        """Return all messages as one stream.

        Args:
            max_messages_per_batch: Most messages of one micro-batch.
            starts: Offset at which each partition is begun, of the topics that are there; None for the
                first message of all.

        Returns:
            What `as_messages` returns, with values up to `LARGEST_AT_FIRST`.
        """
        names = self._topics.names if starts is None else sorted({topic for topic, _ in starts})
        reader = self._spark.readStream.format("kafka")
        with untold():
            reader = reader.options(**self._options)
        stream = (
            reader.option("subscribe", ",".join(names))
            .option("startingOffsets", "earliest" if starts is None else to_spark(starts))
            .option("maxOffsetsPerTrigger", max_messages_per_batch)
            .option("kafka.max.poll.records", RECORDS_AT_ONCE)
        )
        # One task for each core, not for each Kafka partition: most have next to nothing.
        cores = self._spark.sparkContext.defaultParallelism
        return self._chosen(as_messages(stream.load(), LARGEST_AT_FIRST)).coalesce(cores)

    def read(self, ranges: Ranges, records_at_once: int | None = None) -> DataFrame:
        """Return some messages again.

        Args:
            ranges: Which ones.
            records_at_once: How many records a consumer makes at once of what it has fetched, in
                one task then; None for as many, and in as many tasks, as the stream's.

        Returns:
            What `as_messages` returns, with values up to `LARGEST_MESSAGE`.
        """
        partitions: dict[str, list[int]] = defaultdict(list)
        for topic, partition in ranges:
            partitions[topic].append(partition)
        reader = self._spark.read.format("kafka")
        with untold():
            reader = reader.options(**self._options)
        rows = (
            reader.option("assign", json.dumps(partitions))
            .option("startingOffsets", to_spark({p: first for p, (first, _) in ranges.items()}))
            .option("endingOffsets", to_spark({p: until for p, (_, until) in ranges.items()}))
            .option("kafka.max.poll.records", records_at_once or RECORDS_AT_ONCE)
        )
        tasks = 1 if records_at_once else self._spark.sparkContext.defaultParallelism
        return self._chosen(as_messages(rows.load(), LARGEST_MESSAGE)).coalesce(tasks)

    def forget(self) -> None:
        """Let go of what was read before and is still held."""
        forget_fetched(self._spark)

    def one_by_one(self, ranges: Ranges) -> Iterator[Weighed]:
        """Read some messages without Spark, each by itself; none is left out.

        Args:
            ranges: Which ones.
        """
        return read_one_by_one(self._spark, self._client, ranges)


def as_messages(rows: DataFrame, most_bytes: int) -> DataFrame:
    """Return messages, what they weigh, and what their headers say, as bytes.

    Args:
        rows: `MESSAGE_COLUMNS` and `headers`, as Spark reads them from Kafka.
        most_bytes: What a message may weigh so that its value is not left out, and neither its key
            if that is longer than `LONGEST_KEY`.

    Returns:
        `MESSAGE_COLUMNS`, producer, sequence, and weight in bytes.
    """
    weight = _bytes_of(F.col("key")) + _bytes_of(F.col("value"))
    is_light = F.col("weight") <= most_bytes
    return rows.select("*", weight.alias("weight")).select(
        F.when(is_light | (F.octet_length("key") <= LONGEST_KEY), F.col("key")).alias("key"),
        F.when(is_light, F.col("value")).alias("value"),
        *(name for name in MESSAGE_COLUMNS if name not in ("key", "value")),
        _header(PRODUCER_HEADER).alias("producer"),
        _header(SEQUENCE_HEADER).alias("sequence"),
        "weight",
    )


def _bytes_of(column: Column) -> Column:
    return F.coalesce(F.octet_length(column), F.lit(0)).cast("long")


def _header(name: str) -> Column:
    # Not by a function of each header: Spark takes ten times as long to plan that.
    at = F.nullif(F.array_position("headers.key", name), F.lit(0))
    value = F.try_element_at("headers.value", at.cast("int"))
    # One that is cut off is too long for ours.
    return F.substring(value, 1, LONGEST_PRODUCER + 1)
