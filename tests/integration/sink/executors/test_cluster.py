"""The sink on a cluster, submitted as docs/howto/run-on-a-cluster.md says it."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.lakes.checker import check
from support.messages.produce import Topic, messages_of
from support.messages.records import make_record
from support.servers.cluster import SECONDS, Cluster, running_cluster, when

from conformare_sink.broker.broker import EmbeddedBroker

RUNS = 1_500
"""Enough for a batch of several tasks on each executor."""
BEFORE_US = r"Using incubator modules|NativeCodeLoader: Unable to load native-hadoop library"


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    """A cluster of a test's own."""
    with running_cluster(tmp_path) as running:
        yield running


@pytest.fixture
def sink(broker: EmbeddedBroker, topic_prefix: str, lake: str) -> list[str]:
    """The options of a sink."""
    return [
        *("--bootstrap-servers", broker.bootstrap_servers),
        *("--lake", lake, "--topic-prefix", topic_prefix),
    ]


def test_the_sink_is_submitted_to_a_cluster(
    cluster: Cluster, topic: Topic, lake: str, sink: list[str]
) -> None:
    """Whole runs, read by executors on both workers; a small batch is the driver's."""
    records = [make_record(f"run-{n}") for n in range(8)]
    for number, record in enumerate(records):
        topic.send(messages_of(record, f"e{number}", max_message_bytes=4_000))
    with cluster.submit(*sink) as submitted:
        out, err = submitted.communicate(timeout=SECONDS)
    assert submitted.returncode == 0, err
    assert "8 run(s) landed" in out
    # The first is Java's own, the second comes before Python is started.
    assert not [line for line in err.splitlines() if not re.search(BEFORE_US, line)]
    assert check(lake, records).is_sound
    assert cluster.logs(1)
    assert cluster.logs(2)


@pytest.mark.long
def test_a_large_batch_lands_although_driver_and_worker_are_killed_in_it(
    cluster: Cluster, topic: Topic, lake: str, sink: list[str]
) -> None:
    """The executors process it, and one key is half of all messages."""
    records = [make_record(f"run-{n}", rows={"contexts": 1, "risks": 1}) for n in range(RUNS)]
    for number, record in enumerate(records):
        topic.send_later(messages_of(record, f"e{number}"))
    half = make_record("half", rows={"contexts": 1, "risks": 3 * RUNS})
    sent = messages_of(half, "half", max_message_bytes=300)
    assert len(sent) > 3 * RUNS
    topic.send(sent)
    by_executors = [*sink, "--engine", "executors"]

    def is_written() -> bool:
        return len([*Path(lake, "risks").glob("*.parquet")]) > n_files

    n_files = 0
    with cluster.submit(*by_executors) as killed:
        when(is_written)
        os.killpg(killed.pid, signal.SIGKILL)
    n_files = len([*Path(lake, "risks").glob("*.parquet")])
    with cluster.submit(*by_executors) as submitted:
        when(is_written)
        os.killpg(cluster.workers[0].pid, signal.SIGKILL)
        out, err = submitted.communicate(timeout=SECONDS)
    assert submitted.returncode == 0, err
    assert "the driver" not in out + err
    assert check(lake, [*records, half]).is_sound
