"""A broker that asks, whose users have the rights that the page gives them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from pyspark.sql import SparkSession
from support.kafka.cluster import Cluster, cluster
from support.kafka.rights import documented_acls, user_of
from support.lakes.running_sink import Messages, RunningSink, listening

from conformare_sink.options import SinkOptions


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """The broker."""
    acls = documented_acls()
    passwords = {user: f"secret-of-{user}" for user in map(user_of, acls)}
    with cluster(tmp_path_factory.mktemp("guarded"), passwords) as made:
        made.allow(acls)
        yield made


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
        return started[-1]

    yield start
    for sink in started:
        sink.stop()
