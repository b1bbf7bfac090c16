"""Messages that are read one by one, because Spark could not read them: the same messages."""

from __future__ import annotations

from typing import Any

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic
from pyspark.sql import SparkSession

from conformare_schemas import topic_name
from conformare_sink.broker.broker import EmbeddedBroker
from conformare_sink.errors import BrokerUnreachableError
from conformare_sink.kafka import one_by_one
from conformare_sink.kafka.source import KafkaSource
from conformare_sink.kafka.topics import Topics
from conformare_sink.messages.message import (
    LARGEST_MESSAGE,
    LATEST_TIME,
    LONGEST_KEY,
    Message,
    Weighed,
    messages_of,
)
from conformare_sink.spark import collect
from conformare_sink.spark.collect import Collector
from conformare_sink.spark.dealing import Ranges

MEGABYTE = 1_000_000
Headers = list[tuple[str, str | bytes | None]]


@pytest.fixture
def owners(broker: EmbeddedBroker, topic_prefix: str) -> str:
    """A topic that takes whatever time a producer gives, and large messages."""
    name = topic_name("owners", topic_prefix)
    takes = {
        "message.timestamp.type": "CreateTime",
        "message.timestamp.after.max.ms": str(2**63 - 1),
        "max.message.bytes": str(20 * MEGABYTE),
    }
    admin = AdminClient({"bootstrap.servers": broker.bootstrap_servers})
    (created,) = admin.create_topics([NewTopic(name, 2, 1, config=takes)]).values()
    created.result()
    return name


@pytest.fixture
def source(spark: SparkSession, broker: EmbeddedBroker, topic_prefix: str) -> KafkaSource:
    """The messages of the test's topics."""
    return KafkaSource(spark, Topics(broker.bootstrap_servers, topic_prefix))


@pytest.fixture
def producer(broker: EmbeddedBroker) -> Producer:
    """A producer of any messages, whose batches are large."""
    return Producer(
        {
            "bootstrap.servers": broker.bootstrap_servers,
            "linger.ms": 100,
            # Otherwise what is sent again, to a broker that is slow, comes behind what came after it.
            "enable.idempotence": True,
            "message.max.bytes": 20 * MEGABYTE,
            "compression.type": "lz4",
        }
    )


def by_spark(source: KafkaSource, ranges: Ranges) -> list[Weighed]:
    """What Spark reads of the same."""
    table = source.read(ranges).toArrow()
    others = (table[name].to_pylist() for name in ("weight", "producer", "sequence"))
    return sorted(map(Weighed, messages_of(table), *others), key=lambda one: one.message.place)


def test_they_are_what_spark_reads(producer: Producer, source: KafkaSource, owners: str) -> None:
    """Also without key, value or headers, of no bytes, and where the value is left out."""
    ours: Headers = [("conformare.producer", b"p"), ("conformare.sequence", b"1")]
    sent: tuple[tuple[int, bytes | None, bytes | None, Headers], ...] = (
        (0, b"k", b"v", ours),
        (0, None, b"v", []),
        (1, b"k", None, [("conformare.producer", b"\\xff"), ("x", None)]),
        (0, b"", b"", [("conformare.producer", None), ("conformare.sequence", b"")]),
        (0, b"k", bytes(5 * MEGABYTE), [("x", b"y")] * 1000 + ours),
        (1, b"k" * LONGEST_KEY, bytes(LARGEST_MESSAGE), ours),
        (1, b"k" * (LONGEST_KEY + 1), bytes(LARGEST_MESSAGE), ours),
        (1, b"k" * MEGABYTE, b"v", ours[::-1]),
        (1, b"last", b"v", ours),
    )
    for partition, key, value, headers in sent:
        producer.produce(owners, key=key, value=value, headers=headers, partition=partition)
    assert producer.flush(60) == 0
    ranges = {(owners, 0): (1, 4), (owners, 1): (0, 4)}
    found = sorted(source.one_by_one(ranges), key=lambda one: one.message.place)
    assert found == by_spark(source, ranges)
    assert [one.message.value is None for one in found] == [False] * 3 + [True] * 3 + [False]
    assert [one.message.key is None for one in found] == [True, *[False] * 4, True, False]


def test_the_marks_of_transactions_are_no_messages(
    broker: EmbeddedBroker, source: KafkaSource, owners: str
) -> None:
    """They have offsets as well, here the last of the range."""
    producer = Producer({"bootstrap.servers": broker.bootstrap_servers, "transactional.id": owners})
    producer.init_transactions()
    for value in (b"1", b"2"):
        producer.begin_transaction()
        producer.produce(owners, value=value, partition=0)
        producer.commit_transaction()
    found = list(source.one_by_one({(owners, 0): (0, 4)}))
    assert [(one.message.offset, one.message.value) for one in found] == [(0, b"1"), (2, b"2")]


def test_a_time_that_spark_cannot_hold_is_the_last_that_there_is(
    producer: Producer, source: KafkaSource, owners: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One such message ended the sink at each start. The others are read by Spark, in parts."""
    monkeypatch.setattr(collect, "FEWEST_IN_A_HALF", 4)
    for n in range(40):
        when = 2**62 if n == 17 else 1_700_000_000_000
        producer.produce(owners, key=b"k", value=b"%d" % n, partition=0, timestamp=when)
    assert producer.flush(60) == 0
    ranges = {(owners, 0): (0, 40)}
    found = [
        message
        for portion in Collector(source).portions(source.read(ranges), ranges)
        for message in portion.messages
    ]
    assert sorted(found, key=lambda message: message.offset) == [
        Message(
            *(b"k", b"%d" % n, owners, 0, n),
            LATEST_TIME if n == 17 else 1_700_000_000_000_000,
        )
        for n in range(40)
    ]


def test_a_message_that_does_not_come_is_an_outage(
    source: KafkaSource, owners: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Here one that was never sent: the wait has an end."""
    monkeypatch.setattr(one_by_one, "_PATIENCE_SECONDS", 1.0)
    with pytest.raises(BrokerUnreachableError):
        list(source.one_by_one({(owners, 0): (0, 1)}))


def test_what_was_read_is_let_go_of(
    producer: Producer, source: KafkaSource, owners: str, spark: SparkSession
) -> None:
    """By the consumers that Spark keeps for the next time."""
    producer.produce(owners, value=b"v", partition=0)
    assert producer.flush(60) == 0
    assert source.read({(owners, 0): (0, 1)}).count() == 1
    assert kept(spark) > 0
    source.forget()
    assert kept(spark) == 0


def kept(spark: SparkSession) -> int:
    """How many consumers Spark keeps that nobody uses."""
    jvm: Any = spark._jvm
    loader = jvm.java.lang.Thread.currentThread().getContextClassLoader()
    pools = jvm.java.lang.Class.forName(one_by_one._POOLS, True, loader)
    pool = pools.getDeclaredField("consumerPool")
    pool.setAccessible(True)
    idle: int = pool.get(None).numIdle()
    return idle
