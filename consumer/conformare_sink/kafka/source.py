"""What Spark reads: the messages of all grain topics as one stream."""

from __future__ import annotations

import json
from collections import defaultdict

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from conformare_schemas import PRODUCER_HEADER, SEQUENCE_HEADER
from conformare_sink.kafka.access import as_spark_options
from conformare_sink.kafka.offsets import PartitionOffsets
from conformare_sink.kafka.topics import Topics
from conformare_sink.messages.message import MESSAGE_COLUMNS

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


def kafka_stream(
    spark: SparkSession,
    topics: Topics,
    max_messages_per_batch: int,
    starts: PartitionOffsets | None = None,
) -> DataFrame:
    """Return the messages of all grain topics as one stream.

    Args:
        spark: A session from `build_session`.
        topics: The topics.
        max_messages_per_batch: Most messages of one micro-batch.
        starts: Offset at which each partition is begun; None for the first message of all.

    Returns:
        What `with_sequences` returns.
    """
    stream = (
        spark.readStream.format("kafka")
        .option("kafka.bootstrap.servers", topics.bootstrap_servers)
        .option("subscribe", ",".join(topics.names))
        .option("startingOffsets", "earliest" if starts is None else _as_spark_takes_them(starts))
        .option("failOnDataLoss", "true")
        .option("includeHeaders", "true")
        .option("maxOffsetsPerTrigger", max_messages_per_batch)
        # The prefetch otherwise long-polls ahead of the offset look-ups on the same connection:
        # about 0.45 s for every partition that has data.
        .option("kafka.fetch.max.wait.ms", "10")
        .options(**KAFKA_TIMEOUTS, **as_spark_options(topics.access.for_java()))
    )
    # One task for each core, not for each Kafka partition: most have next to nothing.
    cores = spark.sparkContext.defaultParallelism
    return with_sequences(stream.load()).coalesce(cores)


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


def _as_spark_takes_them(offsets: PartitionOffsets) -> str:
    by_topic: dict[str, dict[str, int]] = defaultdict(dict)
    for (topic, partition), offset in offsets.items():
        by_topic[topic][str(partition)] = offset
    return json.dumps(by_topic)


def _header(name: str) -> Column:
    named = F.filter("headers", lambda header: header["key"] == name)
    return F.try_element_at(named, F.lit(1))["value"].cast("string")
