"""Every outage for real: whatever happens, every run that was recorded is in Delta, once.

The scenarios share a broker of their own, which they stop, kill, hang and starve, and one lake,
into which a real sink lands everything at the end. Each has a pipeline of its own name, and each
test looks at one of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from confluent_kafka import Consumer, TopicPartition
from pyspark.sql import SparkSession
from support.jobs.outages import SCENARIOS, START_SECONDS, TOPIC_PREFIX, Outages
from support.jobs.processes import PRELUDE_TS, spool_send
from support.lakes.checker import check
from support.messages.typical import typical_store

from conformare.record import to_run_record
from conformare_schemas import topic_name
from conformare_sink.broker.broker import EmbeddedBroker
from conformare_sink.kafka.topics import Topics
from conformare_sink.options import SinkOptions
from conformare_sink.stream.stream import SinkStream


@dataclass
class Landed:
    """What is left of the outages: the lake, and each scenario's failure if it had one."""

    outages: Outages
    lake: str
    failures: dict[str, BaseException]


@pytest.fixture(scope="module")
def landed(
    spark: SparkSession, another_free_port: int, tmp_path_factory: pytest.TempPathFactory
) -> Landed:
    """Run all scenarios, let an operator send what is left, and land everything."""
    folder = tmp_path_factory.mktemp("outages")
    broker = EmbeddedBroker(folder / "broker", another_free_port)
    broker.start(START_SECONDS)
    failures: dict[str, BaseException] = {}
    try:
        Topics(broker.bootstrap_servers, TOPIC_PREFIX).create()
        outages = Outages(broker, folder / "spool")
        for name, scenario in SCENARIOS.items():
            try:
                scenario(outages)
            except Exception as exc:  # noqa: BLE001, PERF203 - its own test raises it
                failures[name] = exc
        sent = spool_send(outages.spool)
        assert sent.returncode == 0, sent.stderr
        assert outages.waiting() == 0
        lake = str(folder / "lake")
        options = SinkOptions(
            bootstrap_servers=broker.bootstrap_servers, lake=lake, topic_prefix=TOPIC_PREFIX
        )
        SinkStream(spark, options, lambda _: None).run_once()
        outages.notes["messages"] = messages_of_runs(broker.bootstrap_servers)
    finally:
        if broker.status().running:
            broker.stop()
    return Landed(outages, lake, failures)


def messages_of_runs(bootstrap_servers: str) -> list[str]:
    """Return the key of every message of the topic `runs`."""
    consumer = Consumer({"bootstrap.servers": bootstrap_servers, "group.id": "none"})
    topic = topic_name("runs", TOPIC_PREFIX)
    partitions = [
        TopicPartition(topic, number, 0)
        for number in consumer.list_topics(topic, 30).topics[topic].partitions
    ]
    consumer.assign(partitions)
    left = sum(consumer.get_watermark_offsets(partition, 30)[1] for partition in partitions)
    keys: list[str] = []
    while len(keys) < left:
        for message in consumer.consume(left - len(keys), 30):
            assert message.error() is None
            keys.append((message.key() or b"").decode())
    consumer.close()
    return keys


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_every_recorded_run_is_in_delta_once(landed: Landed, scenario: str) -> None:
    """Whole; and so is a run whose job died before it could tell us that it was recorded."""
    if scenario in landed.failures:
        raise landed.failures[scenario]
    recorded = landed.outages.recorded[scenario]
    assert recorded
    assert len(set(recorded)) == len(recorded)
    records = [
        to_run_record(typical_store(), scenario, run_id=run_id, ts=PRELUDE_TS)
        for run_id in recorded
    ]
    verdict = check(landed.lake, records)
    assert (verdict.lost, verdict.duplicated, verdict.mixed, verdict.partial) == ([], [], [], [])
    # Runs of other scenarios, and at most one for each process that was killed before it could
    # tell.
    own = [key for key in verdict.foreign if key[0] == scenario]
    assert len(own) <= landed.outages.killed.get(scenario, 0)


def test_live_processes_on_one_spool_send_nothing_twice(landed: Landed) -> None:
    """Each run's message is in its topic once: nobody has died, so nobody had to send it again."""
    messages = landed.outages.notes["messages"]
    for run_id in landed.outages.recorded["two on one spool"]:
        assert messages.count(run_id) == 1, run_id


def test_two_jobs_and_what_a_third_left_are_all_recorded(landed: Landed) -> None:
    """Otherwise the test before would show nothing."""
    assert len(landed.outages.recorded["two on one spool"]) == 50


def test_a_job_is_told_in_one_line_what_it_leaves(landed: Landed) -> None:
    """And of a full disk, once."""
    stopped = landed.outages.notes["broker stopped"].splitlines()
    assert sum("wait in the spool" in line and "spool send" in line for line in stopped) == 1
    full = landed.outages.notes["job's disk full"]
    assert full.count("runs wait in memory only") == 1


def test_a_broker_with_a_full_disk_took_nothing(landed: Landed) -> None:
    """Otherwise the scenario would show nothing."""
    assert landed.outages.notes["broker's disk full"] >= 20
