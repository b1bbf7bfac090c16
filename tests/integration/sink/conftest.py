"""A sink on the shared broker and session, with a lake of each test's own."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator

import pytest
from pyspark.sql import SparkSession
from support.lakes.store import Store
from support.messages.produce import Topic
from support.servers.object_store import ObjectStore, s3proxy

from conformare_sink.broker.broker import EmbeddedBroker
from conformare_sink.kafka.topics import Topics
from conformare_sink.landing.report import BatchReport
from conformare_sink.options import SinkOptions
from conformare_sink.stream.stream import SinkStream


@pytest.fixture
def topics(broker: EmbeddedBroker, topic_prefix: str) -> Topics:
    """The test's topics, created."""
    topics = Topics(broker.bootstrap_servers, topic_prefix)
    topics.create()
    return topics


@pytest.fixture
def topic(broker: EmbeddedBroker, topics: Topics, topic_prefix: str) -> Topic:  # noqa: ARG001 - they are to be there
    """Sends to the test's topics."""
    return Topic(broker.bootstrap_servers, topic_prefix)


@pytest.fixture
def options(broker: EmbeddedBroker, topic_prefix: str, lake: str) -> SinkOptions:
    """From the test's topics into the test's lake."""
    return SinkOptions(
        bootstrap_servers=broker.bootstrap_servers, lake=lake, topic_prefix=topic_prefix
    )


@pytest.fixture
def catch_up(spark: SparkSession, options: SinkOptions) -> Callable[[], list[BatchReport]]:
    """Runs the sink once, until it has caught up."""

    def run_once() -> list[BatchReport]:
        reports: list[BatchReport] = []
        SinkStream(spark, options, reports.append).run_once()
        return reports

    return run_once


@pytest.fixture(scope="module")
def store(
    broker: EmbeddedBroker, spark: SparkSession, tmp_path_factory: pytest.TempPathFactory
) -> Store:
    """A store for all tests of a module: to make one takes seconds."""
    prefix = f"test-{uuid.uuid4().hex[:12]}."
    options = SinkOptions(
        bootstrap_servers=broker.bootstrap_servers,
        lake=str(tmp_path_factory.mktemp("a störe") / "the lake"),
        topic_prefix=prefix,
    )
    Topics(broker.bootstrap_servers, prefix).create()
    return Store(spark, options, Topic(broker.bootstrap_servers, prefix))


@pytest.fixture(scope="session")
def object_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectStore]:
    """An object store with a bucket; each test has a path of its own in it."""
    with s3proxy(tmp_path_factory.mktemp("object-store")) as running:
        yield running
