"""Topics of each test's own, and a sink that is given a registry."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pyspark.sql import SparkSession
from support.lakes.store import Store
from support.messages.produce import Topic
from support.servers.registry import Registry

from conformare.cli import main
from conformare.emission import KafkaOptions, KafkaWriter
from conformare_sink.broker.broker import EmbeddedBroker
from conformare_sink.kafka.topics import Topics
from conformare_sink.options import SinkOptions

MakeStore = Callable[..., Store]
MakeJob = Callable[..., KafkaWriter]


@pytest.fixture
def topics(broker: EmbeddedBroker, topic_prefix: str) -> Topics:
    """The test's topics, created."""
    topics = Topics(broker.bootstrap_servers, topic_prefix)
    topics.create(partitions=1)
    return topics


@pytest.fixture
def registered(registry: Registry, topic_prefix: str) -> str:
    """The URL of a registry that has the schemas of the test's topics."""
    command = ["register", "--schema-registry-url", registry.url, "--topic-prefix", topic_prefix]
    assert main(["schemas", *command]) == 0
    return registry.url


@pytest.fixture
def make_store(spark: SparkSession, topics: Topics, lake: str, topic_prefix: str) -> MakeStore:
    """Makes the test's lake and topics, for a sink with some options more."""

    def make(url: str | None = None, **more: object) -> Store:
        options = SinkOptions.model_validate(
            {
                "bootstrap_servers": topics.bootstrap_servers,
                "lake": lake,
                "topic_prefix": topic_prefix,
                "schema_registry_url": url,
                **more,
            }
        )
        return Store(spark, options, Topic(topics.bootstrap_servers, topic_prefix))

    return make


@pytest.fixture
def make_job(topics: Topics, topic_prefix: str, tmp_path: Path) -> Iterator[MakeJob]:
    """Makes writers as jobs have them, all with the same spool."""
    made: list[KafkaWriter] = []

    def make(url: str, **more: object) -> KafkaWriter:
        options = {
            "bootstrap_servers": topics.bootstrap_servers,
            "topic_prefix": topic_prefix,
            "spool_dir": tmp_path / "spool",
            "schema_registry_url": url,
            **more,
        }
        made.append(KafkaWriter(KafkaOptions.model_validate(options)))
        return made[-1]

    yield make
    for writer in made:
        writer.close(timeout_seconds=0)
