"""A sink on the shared broker and session, with a lake of each test's own."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from pyspark.sql import SparkSession
from support.produce import Topic

from conformare_sink.broker import EmbeddedBroker
from conformare_sink.options import SinkOptions
from conformare_sink.report import BatchReport
from conformare_sink.stream import SinkStream
from conformare_sink.topics import Topics


@pytest.fixture
def topics(broker: EmbeddedBroker, topic_prefix: str) -> Topics:
    """The test's topics, created."""
    topics = Topics(broker.bootstrap_servers, topic_prefix)
    topics.create()
    return topics


@pytest.fixture
def topic(broker: EmbeddedBroker, topics: Topics, topic_prefix: str) -> Topic:  # noqa: ARG001
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
