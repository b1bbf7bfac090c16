"""Messages that are read without Spark, one at a time, by Kafka's own client in Spark's Java.

A consumer of Spark's holds many messages at once, and several copies of each. This one holds one of
one, knows what it weighs, and hands over what is not too heavy. It takes milliseconds a message.
"""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, suppress
from tempfile import NamedTemporaryFile
from typing import Any

from py4j.protocol import Py4JError, Py4JJavaError
from pyspark.sql import SparkSession

from conformare_schemas import PRODUCER_HEADER, SEQUENCE_HEADER
from conformare_sink.errors import BrokerUnreachableError
from conformare_sink.kafka.java_client import untold
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
_POOLS = "org.apache.spark.sql.kafka010.consumer.KafkaDataConsumer$"


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
            with closing(_Partition(spark, client, topic, partition, offset)) as reader:
                with suppress(_OutOfMemory):
                    yield from reader.messages(until)
                    break
                # The consumer is of no use any more: it has lost its place in what it unpacks.
                offset = reader.position
            yield Weighed(Message(None, None, topic, partition, offset, 0), None, None, None)
            offset += 1


def forget_fetched(spark: SparkSession) -> None:
    """Let go of what the consumers that Spark keeps in its driver hold.

    Each keeps the last message that it has read, and all that it has made of its last fetch: for
    minutes, as long as nobody reads on.
    """
    jvm: Any = spark.sparkContext._jvm  # noqa: SLF001 - nothing public has Java's classes
    # Nothing public does it. Where these are not found, memory is only scarcer.
    with suppress(Py4JError):
        loader = jvm.java.lang.Thread.currentThread().getContextClassLoader()
        pools = jvm.java.lang.Class.forName(_POOLS, True, loader)
        for name in ("fetchedDataPool", "consumerPool"):
            pool = pools.getDeclaredField(name)
            pool.setAccessible(True)
            pool.get(None).reset()


class _OutOfMemory(Exception):  # noqa: N818 - of Java's, and never seen outside
    """Java's memory does not hold a message."""


class _Partition:
    """A consumer of one partition, from an offset on."""

    def __init__(
        self,
        spark: SparkSession,
        client: Mapping[str, str],
        topic: str,
        partition: int,
        offset: int,
    ) -> None:
        jvm: Any = spark.sparkContext._jvm  # noqa: SLF001 - nothing public has Java's classes
        kafka = jvm.org.apache.kafka
        settings = jvm.java.util.Properties()
        with untold():
            for name, value in {**client, **_SETTINGS}.items():
                settings.setProperty(name, value)
        self._servers = client["bootstrap.servers"]
        self._topic, self._partition = topic, partition
        self._wait, self._at_once = map(jvm.java.time.Duration.ofMillis, (_POLL_MILLISECONDS, 0))
        # What Java hands over as an answer waits 40 ms for every few kilobytes.
        self._file = NamedTemporaryFile(prefix="conformare")  # noqa: SIM115 - `close` closes it
        self._channel = jvm.java.io.FileOutputStream(self._file.name).getChannel()
        self._place = kafka.common.TopicPartition(topic, partition)
        self._consumer = kafka.clients.consumer.KafkaConsumer(settings)
        self._consumer.assign(jvm.java.util.List.of(self._place))
        self._consumer.seek(self._place, offset)
        self.position = offset
        """The offset that is read next."""

    def messages(self, until: int) -> Iterator[Weighed]:
        """Read up to an offset."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while self.position < until:
            message = self._next()
            # What stands for an object of Java's here is in a cycle, and holds it until this is
            # noticed; nobody else may look for cycles while a batch lands.
            gc.collect(0)
            if message is None:
                # What is no message has a place as well: marks of transactions.
                position = self._consumer.position(self._place)
            elif message.message.offset < until:
                yield message
                position = message.message.offset + 1
            else:
                return
            if position > self.position:
                self.position = position
                deadline = time.monotonic() + _PATIENCE_SECONDS
            elif time.monotonic() > deadline:
                raise BrokerUnreachableError(self._servers, _PATIENCE_SECONDS)

    def close(self) -> None:
        """End the consumer."""
        self._consumer.close(self._at_once)
        self._channel.close()
        self._file.close()

    def _next(self) -> Weighed | None:
        try:
            records = self._consumer.poll(self._wait)
        except Py4JJavaError as exc:
            if exc.java_exception.getClass().getName() == _OUT_OF_MEMORY:
                raise _OutOfMemory from exc
            raise
        return None if records.isEmpty() else self._weighed(records.iterator().next())

    def _weighed(self, record: Any) -> Weighed:
        key_bytes, value_bytes = record.serializedKeySize(), record.serializedValueSize()
        weight = max(0, key_bytes) + max(0, value_bytes)
        is_light = weight <= LARGEST_MESSAGE
        micros = min(max(record.timestamp() * 1000, _EARLIEST_TIME), LATEST_TIME)
        key, value = None, None
        if key_bytes >= 0 and (is_light or key_bytes <= LONGEST_KEY):
            key = self._bytes(record.key(), key_bytes)
        if value_bytes >= 0 and is_light:
            value = self._bytes(record.value(), value_bytes)
        message = Message(key, value, self._topic, self._partition, record.offset(), micros)
        headers = record.headers()
        return Weighed(
            message, weight, *(_value(headers, name) for name in (PRODUCER_HEADER, SEQUENCE_HEADER))
        )

    def _bytes(self, buffer: Any, size: int) -> bytes:
        self._channel.write(buffer, 0)
        return os.pread(self._file.fileno(), size, 0)


def _value(headers: Any, name: str) -> bytes | None:
    if headers.lastHeader(name) is None:
        return None
    first = headers.headers(name).iterator().next().value()
    return None if first is None else bytes(first)
