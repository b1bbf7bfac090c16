"""A broker that goes away under a running sink: waited for, and what it has then lands."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pyspark.sql import SparkSession
from support.lakes.checker import check
from support.messages.produce import Topic, messages_of
from support.messages.records import make_record
from support.servers.topic_faults import TopicFaults

from conformare_sink.broker.broker import EmbeddedBroker
from conformare_sink.errors import ContinuityError, SinkError
from conformare_sink.kafka.source import KAFKA_TIMEOUTS
from conformare_sink.kafka.topics import Topics
from conformare_sink.landing.report import BatchReport
from conformare_sink.messages.emission import Decision
from conformare_sink.options import SinkOptions
from conformare_sink.stream.stream import SinkStream

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


class RunningSink:
    """A sink in a thread of its own.

    Args:
        spark: Its session.
        options: Where from and where to.
    """

    def __init__(self, spark: SparkSession, options: SinkOptions) -> None:
        self._events: queue.Queue[BatchReport | SinkError | None] = queue.Queue()
        self._stream = SinkStream(spark, options, self._events.put)
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def await_runs(self, wanted: int) -> None:
        """Return when so many runs have landed since the last call."""
        while wanted > 0:
            event = self._events.get(timeout=PATIENCE_SECONDS)
            assert isinstance(event, BatchReport), event
            wanted -= event.emissions[Decision.LAND]

    def await_end(self) -> SinkError | None:
        """Wait for the end, and return the error that it ended with."""
        while isinstance(event := self._events.get(timeout=PATIENCE_SECONDS), BatchReport):
            pass
        return event

    def stop(self) -> None:
        """Stop it as SIGTERM does, if it runs, and wait for its end."""
        self._stream.stop()
        self._thread.join(PATIENCE_SECONDS)

    def _run(self) -> None:
        try:
            self._stream.run("100 milliseconds")
        except SinkError as error:
            self._events.put(error)
        else:
            self._events.put(None)


class Messages(logging.Handler):
    """Waits for what is logged."""

    def __init__(self) -> None:
        super().__init__()
        self._lines: queue.Queue[str] = queue.Queue()

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a line."""
        self._lines.put(record.getMessage())

    def await_line(self, part: str) -> str:
        """Return the first line, from here on, that says something."""
        while part not in (line := self._lines.get(timeout=PATIENCE_SECONDS)):
            pass
        return line


@pytest.fixture
def said() -> Iterator[Messages]:
    """What the sink says."""
    messages = Messages()
    logger = logging.getLogger("conformare_sink")
    logger.addHandler(messages)
    yield messages
    logger.removeHandler(messages)


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
