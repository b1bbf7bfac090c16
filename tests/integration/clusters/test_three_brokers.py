"""Three brokers, of which one is killed while runs flow: nothing is lost, and no job is slowed."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator

import pytest
from support.kafka.cluster import OPEN, Cluster, await_brokers, cluster
from support.kafka.topics import alter
from support.lakes.checker import check
from support.lakes.running_sink import RunningSink
from support.messages.typical import typical_store

import conformare as cf
from conformare.cli import main
from conformare_sink.kafka.topics import Topics
from conformare_sink.options import SinkOptions

PREFIX = "three."
PIPELINE = "orders"
TS = "2026-01-02T03:04:05.000006Z"
RUNS = 1500
"""Before the broker is killed, and after."""
PAUSE_SECONDS = 0.01
MOST_SLOWER = 1.5
SECONDS = 120


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """The brokers, with the topics."""
    with cluster(tmp_path_factory.mktemp("three"), {}, brokers=3) as made:
        Topics(made.at(OPEN), PREFIX).create(replication_factor=3)
        yield made


def percentile_99(seconds: list[float]) -> float:
    """Return what 99 of 100 calls stay below."""
    return statistics.quantiles(seconds, n=100)[-1]


def test_a_broker_is_killed_while_runs_flow(
    three: Cluster,
    running_sink: Callable[[SinkOptions], RunningSink],
    lake: str,
    record_property: Callable[[str, object], None],
) -> None:
    """The one that leads most; the sink runs on, too."""
    servers = three.at(OPEN)
    sink = running_sink(SinkOptions(bootstrap_servers=servers, lake=lake, topic_prefix=PREFIX))
    cf.configure_store(writer="kafka", bootstrap_servers=servers, topic_prefix=PREFIX)
    store = typical_store()
    recorded: list[str] = []

    def record_runs(number: int) -> list[float]:
        took = []
        for _ in range(number):
            run_id = f"run-{len(recorded)}"
            began = time.perf_counter()
            cf.record_run(PIPELINE, store=store, run_id=run_id, ts=TS)
            took.append(time.perf_counter() - began)
            recorded.append(run_id)
            time.sleep(PAUSE_SECONDS)  # a pause between runs, as jobs have more of it
        return took

    record_runs(RUNS // 10)
    sink.await_runs(1)
    before = record_runs(RUNS)
    leaders = [
        partition.leader
        for topic in three.admin.list_topics(timeout=SECONDS).topics.values()
        for partition in topic.partitions.values()
    ]
    victim = three.brokers[statistics.mode(leaders) - 1]
    victim.kill()
    after = record_runs(RUNS)
    assert cf.flush(SECONDS) == 0
    sink.await_runs(len(recorded) - sink.landed)

    ratio = percentile_99(after) / percentile_99(before)
    told = (
        f"record_run: p99 {percentile_99(before) * 1000:.2f} ms before, "
        f"{percentile_99(after) * 1000:.2f} ms after, ratio {ratio:.2f}"
    )
    record_property("record_run", told)
    print(told)  # noqa: T201 - `make test-kafka` shows it
    records = [cf.to_run_record(store, PIPELINE, run_id=run_id, ts=TS) for run_id in recorded]
    assert check(lake, records).is_sound
    assert cf.delivery_stats().delivered == len(recorded)
    assert ratio < MOST_SLOWER, told

    victim.start()
    await_brokers(three, 3)


def test_what_topics_lack_is_told(three: Cluster, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing, as they are made; then each thing that somebody changes."""
    check_topics = ["topics", "check", "--bootstrap-servers", three.at(OPEN)]
    assert main([*check_topics, "--topic-prefix", PREFIX]) == 0
    assert capsys.readouterr().out == "all topics are as they must be\n"

    alter(three.admin, f"{PREFIX}runs", {"min.insync.replicas": "1", "retention.ms": "3600000"})
    alter(three.admin, f"{PREFIX}risks", {"min.insync.replicas": "1", "compression.type": "gzip"})
    assert main([*check_topics, "--topic-prefix", PREFIX]) == 1
    told = capsys.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in told[::2]] == ["fault", "fault", "advice"]
    assert told[0].startswith("fault: min.insync.replicas is 1, and must be 2: ")
    assert told[1] == f"  {PREFIX}risks, {PREFIX}runs"
    assert told[2].startswith("fault: retention.ms is 3600000, and must be 604800000 (7 days) or")
    assert told[4].startswith("advice: compression.type is gzip, and must be producer: ")
    assert main([*check_topics, "--topic-prefix", "nowhere."]) == 1
    assert capsys.readouterr().out.startswith("fault: topic is missing, and must be there: ")
