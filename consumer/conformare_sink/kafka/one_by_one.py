"""Messages that are read without Spark, one at a time, by Kafka's own client in Spark's Java.

A consumer of Spark's holds many messages at once, and several copies of each. This one holds one of
each, knows what it weighs, and hands over what is not too heavy. It takes a millisecond a message.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import Any

from py4j.protocol import Py4JJavaError
from pyspark.sql import SparkSession

from conformare_schemas import PRODUCER_HEADER, SEQUENCE_HEADER
from conformare_sink.errors import BrokerUnreachableError
from conformare_sink.messages.message import (
    LARGEST_MESSAGE,
    LATEST_TIME,
    LONGEST_KEY,
    Message,
    Weighed,
)

_SETTINGS = {
    "key.deserializer": "org.apache.kafka.common.serialization.ByteBufferDeserializer",
    "value.deserializer": "org.apache.kafka.common.serialization.ByteBufferDeserializer",
    "max.poll.records": "1",
    "enable.auto.commit": "false",
    "auto.offset.reset": "none",
    "default.api.timeout.ms": "5000",
    "request.timeout.ms": "5000",
}
_POLL_MILLISECONDS = 1000
_PATIENCE_SECONDS = 15.0
_OUT_OF_MEMORY = "java.lang.OutOfMemoryError"
_EARLIEST_TIME = -(2**63)


def read_one_by_one(
    spark: SparkSession,
    client: Mapping[str, str],
    ranges: Mapping[tuple[str, int], tuple[int, int]],
) -> Iterator[Weighed]:
    """Read messages, each by itself.

    Args:
        spark: A classic session: Kafka's client runs in its driver.
        client: Where the brokers are and what they want, by the names of Kafka's Java client.
        ranges: (topic, partition) → the first offset, and the one behind the last.

    Raises:
        BrokerUnreachableError: A message that is there does not come in time.
    """
    for (topic, partition), (first, until) in ranges.items():
        offset = first
        while offset < until:
            with closing(_Partition(spark, client, topic, partition)) as reader:
                try:
                    for one in reader.messages(offset, until):
                        yield one
                        offset = one.message.offset + 1
                    offset = until
                except Py4JJavaError as exc:
                    if exc.java_exception.getClass().getName() != _OUT_OF_MEMORY:
                        raise
                    # The consumer is of no use any more: it has lost its place in what it unpacks.
                    offset = reader.position
                    nobody = Message(None, None, topic, partition, offset, 0)
                    yield Weighed(nobody, None, None, None)
                    offset += 1


class _Partition:
    """A consumer of one partition."""

    def __init__(
        self, spark: SparkSession, client: Mapping[str, str], topic: str, partition: int
    ) -> None:
        jvm: Any = spark.sparkContext._jvm  # noqa: SLF001 - nothing public has Java's classes
        settings = jvm.java.util.Properties()
        for name, value in {**client, **_SETTINGS}.items():
            settings.setProperty(name, value)
        self._servers = client["bootstrap.servers"]
        self._topic, self._partition = topic, partition
        self._kafka = jvm.org.apache.kafka
        self._place = self._kafka.common.TopicPartition(topic, partition)
        self._consumer = self._kafka.clients.consumer.KafkaConsumer(settings)
        self._consumer.assign(jvm.java.util.List.of(self._place))
        self._wait, self._at_once = map(jvm.java.time.Duration.ofMillis, (_POLL_MILLISECONDS, 0))
        self.position = 0
        """The offset that is read next."""

    def messages(self, first: int, until: int) -> Iterator[Weighed]:
        """Read from one offset to another."""
        self.position = first
        self._consumer.seek(self._place, first)
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while self.position < until:
            for record in self._consumer.poll(self._wait).records(self._place):
                if record.offset() >= until:
                    return
                yield self._weighed(record)
            # Behind a message that was read, and behind what is none: marks of transactions.
            position = self._consumer.position(self._place)
            if position > self.position:
                self.position = position
                deadline = time.monotonic() + _PATIENCE_SECONDS
            elif time.monotonic() > deadline:
                raise BrokerUnreachableError(self._servers, _PATIENCE_SECONDS)

    def close(self) -> None:
        """End the consumer."""
        self._consumer.close(self._at_once)

    def _weighed(self, record: Any) -> Weighed:
        key_bytes, value_bytes = record.serializedKeySize(), record.serializedValueSize()
        weight = max(0, key_bytes) + max(0, value_bytes)
        is_light = weight <= LARGEST_MESSAGE
        micros = min(max(record.timestamp() * 1000, _EARLIEST_TIME), LATEST_TIME)
        message = Message(
            self._bytes(record.key()) if is_light or key_bytes <= LONGEST_KEY else None,
            self._bytes(record.value()) if is_light else None,
            *(self._topic, self._partition, record.offset(), micros),
        )
        headers = (self._header(record, name) for name in (PRODUCER_HEADER, SEQUENCE_HEADER))
        return Weighed(message, weight, *headers)

    def _header(self, record: Any, name: str) -> bytes | None:
        named = record.headers().headers(name).iterator()
        value = named.next().value() if named.hasNext() else None
        return None if value is None else bytes(value)

    def _bytes(self, buffer: Any) -> bytes | None:
        return None if buffer is None else bytes(self._kafka.common.utils.Utils.toArray(buffer))
