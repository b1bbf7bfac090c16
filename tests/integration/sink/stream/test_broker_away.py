"""A broker that goes away under a running sink: waited for, and what it has then lands."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pyspark.sql import SparkSession
from support.lakes.checker import check
from support.lakes.running_sink import Messages, RunningSink, listening
from support.messages.produce import Topic, messages_of
from support.messages.records import make_record
from support.servers.topic_faults import TopicFaults

from conformare_sink.broker.broker import EmbeddedBroker
from conformare_sink.errors import ContinuityError
from conformare_sink.kafka.source import KAFKA_TIMEOUTS
from conformare_sink.kafka.topics import Topics
from conformare_sink.options import SinkOptions

START_SECONDS = 120
PATIENCE_SECONDS = 240


@pytest.fixture
def own_broker(tmp_path: Path, another_free_port: int) -> Iterator[EmbeddedBroker]:
    """A broker that may be harmed."""
    embedded = EmbeddedBroker(tmp_path / "broker", another_free_port)
    embedded.start(START_SECONDS)
    yield embedded
    if embedded.status().running:
        embedded.stop()


@pytest.fixture
def said() -> Iterator[Messages]:
    """What the sink says."""
    with listening() as messages:
        yield messages


@pytest.fixture
def running_sink(spark: SparkSession) -> Iterator[Callable[[SinkOptions], RunningSink]]:
    """Starts a sink, which does not outlive the test."""
    started = []

    def start(options: SinkOptions) -> RunningSink:
        started.append(RunningSink(spark, options))
        return started[0]

    yield start
    for sink in started:
        sink.stop()


def test_a_broker_that_comes_back_needs_nobody(
    own_broker: EmbeddedBroker,
    running_sink: Callable[[SinkOptions], RunningSink],
    topic_prefix: str,
    lake: str,
    said: Messages,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The query ends, the sink does not. A topic that is deleted under it is told by name."""
    for name in ("kafka.default.api.timeout.ms", "kafka.request.timeout.ms"):
        monkeypatch.setitem(KAFKA_TIMEOUTS, name, "2000")
    servers = own_broker.bootstrap_servers
    topics = Topics(servers, topic_prefix)
    topics.create()
    records = [make_record(run_id) for run_id in "ab"]
    Topic(servers, topic_prefix).send(messages_of(records[0], "e1"))
    options = SinkOptions(bootstrap_servers=servers, lake=lake, topic_prefix=topic_prefix)
    sink = running_sink(options)
    sink.await_runs(1)

    own_broker.stop()
    said.await_line("the Kafka broker was not reached: ")
    said.await_line(f"no Kafka broker answers at {servers} for ")
    own_broker.start(START_SECONDS)
    said.await_line("a Kafka broker answers at ")
    Topic(servers, topic_prefix).send(messages_of(records[1], "e2"))
    sink.await_runs(1)
    assert check(lake, records).is_sound

    TopicFaults(topics).delete(f"{topic_prefix}risks")
    error = sink.await_end()
    assert isinstance(error, ContinuityError)
    assert error.found == ("topic deleted",)
