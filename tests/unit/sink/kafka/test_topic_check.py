"""What topics must be, and what is told of those that are not."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from conformare_sink.kafka.topic_check import TopicState, differences

DOCS = Path(__file__).parents[4] / "docs" / "operation" / "topics.md"
GOOD = TopicState(
    "runs",
    replicas=[3, 3],
    in_sync=[3, 2],
    settings={
        "cleanup.policy": "delete",
        "compression.type": "producer",
        "max.message.bytes": "1048588",
        "message.timestamp.type": "LogAppendTime",
        "min.insync.replicas": "2",
        "retention.bytes": "-1",
        "retention.ms": "604800000",
        "unclean.leader.election.enable": "false",
    },
)


def told(topic: TopicState, brokers: int = 3) -> list[tuple[bool, str, str, str]]:
    """What differs, without why."""
    return [(d.is_fault, d.setting, d.found, d.needed) for d in differences([topic], brokers)]


def test_topics_as_they_must_be_have_no_difference() -> None:
    """Retention without an end, and a codec that jobs use, are as good."""
    assert differences([GOOD, replace(GOOD, name="risks")], 3) == []
    good = {**(GOOD.settings or {}), "retention.ms": "-1", "compression.type": "zstd"}
    assert told(replace(GOOD, settings=good)) == []


@pytest.mark.parametrize(
    ("setting", "value", "is_fault", "needed"),
    [
        ("cleanup.policy", "compact", True, "delete"),
        ("cleanup.policy", "compact,delete", True, "delete"),
        ("compression.type", "gzip", False, "producer"),
        ("max.message.bytes", "999999", True, "1000000 or more"),
        ("max.message.bytes", "16777217", False, "16777216 or less"),
        ("message.timestamp.type", "CreateTime", True, "LogAppendTime"),
        ("min.insync.replicas", "1", True, "2"),
        ("min.insync.replicas", "3", False, "less than the replication factor, 3"),
        ("min.insync.replicas", "4", True, "at most the replication factor, 3"),
        ("retention.bytes", "1073741824", False, "-1"),
        ("retention.ms", "604799999", True, "604800000 (7 days) or more"),
        ("unclean.leader.election.enable", "true", True, "false"),
    ],
)
def test_each_setting_is_told(setting: str, value: str, is_fault: bool, needed: str) -> None:
    """With what it is and what it must be."""
    in_sync = [3, 3]
    topic = replace(GOOD, in_sync=in_sync, settings={**(GOOD.settings or {}), setting: value})
    assert told(topic) == [(is_fault, setting, value, needed)]


@pytest.mark.parametrize(
    ("changes", "brokers", "expected"),
    [
        ({"replicas": []}, 3, (True, "topic", "missing", "there")),
        ({"replicas": [3], "in_sync": [3]}, 3, (False, "partitions", "1", "2 or more")),
        ({"replicas": [3, 2]}, 3, (True, "replication factor", "2", "3")),
        ({"leaderless": [1]}, 3, (True, "leader", "none of partition 1", "a broker that leads")),
        ({"in_sync": [3, 1]}, 3, (True, "in-sync replicas", "1", "min.insync.replicas, 2")),
    ],
)
def test_what_is_no_setting_is_told(
    changes: dict[str, Any], brokers: int, expected: tuple[bool, str, str, str]
) -> None:
    """Of partitions and of their replicas."""
    (first, *_) = told(replace(GOOD, **changes), brokers)
    assert first[:3] == expected[:3]
    assert first[3].startswith(expected[3])


def test_a_broker_for_trials_has_no_fault() -> None:
    """It cannot have more replicas, which is told."""
    settings = {**(GOOD.settings or {}), "min.insync.replicas": "1"}
    alone = replace(GOOD, replicas=[1, 1], in_sync=[1, 1], settings=settings)
    assert told(alone, 1) == [
        (False, "replication factor", "1", "3; the cluster has 1 broker(s)"),
    ]


def test_what_is_the_same_is_told_once_and_faults_first() -> None:
    """With all topics that are so."""
    wrong = {**(GOOD.settings or {}), "retention.bytes": "5", "cleanup.policy": "compact"}
    topics = [replace(GOOD, name=name, settings=wrong) for name in ("risks", "runs")]
    assert [(d.setting, d.topics) for d in differences(topics, 3)] == [
        ("cleanup.policy", ("risks", "runs")),
        ("retention.bytes", ("risks", "runs")),
    ]


def test_the_page_names_every_setting_that_is_looked_at() -> None:
    """And no other."""
    text = DOCS.read_text(encoding="utf-8").partition("## What topics must be like")[2]
    table = text.partition("\n## ")[0]
    named = set(re.findall(r"^\| `([a-z.]+)` \|", table, re.MULTILINE))
    assert named == set(GOOD.settings or {})
