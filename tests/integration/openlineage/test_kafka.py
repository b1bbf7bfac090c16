"""Exports to a topic of a real broker."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path

import pytest
from confluent_kafka import OFFSET_BEGINNING, Consumer, Message, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic
from support.fleet.lake import FleetLake
from support.openlineage.classes import require_known
from support.openlineage.exported import NAMING, whole_emissions

from conformare.fleet.stores import open_store
from conformare.openlineage import Exported, export_runs, sent_runs
from conformare.openlineage.targets import KafkaTarget, TargetError
from conformare_sink.broker.broker import EmbeddedBroker

pytestmark = pytest.mark.long

PARTITIONS = 3


def exported(lake: FleetLake, state: Path, target: KafkaTarget) -> Exported:
    """Export a lake, and close the target."""
    try:
        with sent_runs(state, {}) as sent:
            return export_runs(open_store(lake.root), sent, target, NAMING)
    finally:
        target.close()


def made_topic(broker: EmbeddedBroker, name: str, **config: str) -> str:
    """Make a topic."""
    admin = AdminClient({"bootstrap.servers": broker.bootstrap_servers})
    admin.create_topics([NewTopic(name, PARTITIONS, 1, config=config)])[name].result(30)
    return name


def messages(broker: EmbeddedBroker, topic: str, count: int) -> list[tuple[str, bytes]]:
    """Return the keys and the values of so many messages of a topic."""
    consumer = Consumer({"bootstrap.servers": broker.bootstrap_servers, "group.id": "reader"})
    consumer.assign(
        [TopicPartition(topic, number, OFFSET_BEGINNING) for number in range(PARTITIONS)]
    )
    found: list[Message] = []
    while len(found) < count:
        found += consumer.consume(count - len(found), timeout=30)
    consumer.close()
    return [((message.key() or b"").decode(), message.value() or b"") for message in found]


def test_events_come_in_order_and_once(
    broker: EmbeddedBroker, topic_prefix: str, tmp_path: Path
) -> None:
    """Those of one job in one partition, so that a run begins before it ends."""
    emissions = whole_emissions(seed=2, count=40)
    lake = FleetLake(tmp_path / "lake")
    lake.land(emissions)
    topic = made_topic(broker, f"{topic_prefix}events")
    for sent in (len(emissions), 0):
        target = KafkaTarget(broker.bootstrap_servers, topic)
        assert exported(lake, tmp_path / "sent", target) == Exported(runs=sent)
    by_key = defaultdict(list)
    for key, value in messages(broker, topic, 2 * len(emissions)):
        event = json.loads(value)
        require_known(event)
        assert key == f"run:{event['job']['namespace']}/{event['job']['name']}"
        by_key[key].append((event["run"]["runId"], event["eventType"] == "START"))
    for events in by_key.values():
        assert [is_start for _, is_start in events] == [True, False] * (len(events) // 2)
        assert [run for run, _ in events[::2]] == [run for run, _ in events[1::2]]


def test_a_run_that_is_too_large_is_refused_alone(
    broker: EmbeddedBroker, topic_prefix: str, tmp_path: Path
) -> None:
    """The others are sent."""
    emissions = whole_emissions(seed=2, count=8)
    emissions[3].tables["runs"][0]["title"] = "x" * 200_000
    lake = FleetLake(tmp_path / "lake")
    lake.land(emissions)
    topic = made_topic(broker, f"{topic_prefix}small", **{"max.message.bytes": "60000"})
    settings = {"compression.type": "none"}
    found = exported(
        lake, tmp_path / "sent", KafkaTarget(broker.bootstrap_servers, topic, settings)
    )
    assert found.runs == len(emissions) - 1
    (refused,) = found.refused
    assert refused.endswith(": the broker refuses it (MSG_SIZE_TOO_LARGE)")


def test_a_topic_that_is_missing_is_told(
    broker: EmbeddedBroker, topic_prefix: str, tmp_path: Path
) -> None:
    """And nothing counts as sent."""
    lake = FleetLake(tmp_path / "lake")
    lake.land(whole_emissions(seed=2, count=4))
    target = KafkaTarget(broker.bootstrap_servers, f"{topic_prefix}none")
    with pytest.raises(TargetError, match="make the topic, or correct --topic"):
        exported(lake, tmp_path / "sent", target)
    topic = made_topic(broker, f"{topic_prefix}none")
    again = KafkaTarget(broker.bootstrap_servers, topic)
    assert exported(lake, tmp_path / "sent", again).runs == 4


def test_a_broker_that_is_not_there_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In bounded time."""
    monkeypatch.setattr("conformare.openlineage.targets._kafka.WAIT_SECONDS", 1.0)
    lake = FleetLake(tmp_path / "lake")
    lake.land(whole_emissions(seed=2, count=4))
    with pytest.raises(TargetError, match=r"did not answer within 1 s \(\w+\): the next export"):
        exported(lake, tmp_path / "sent", KafkaTarget("127.0.0.1:9", "events"))
