"""Offsets by partition, and the JSON in which Spark notes, reports and takes them."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

PartitionOffsets = dict[tuple[str, int], int]
"""(topic, partition) → offset."""


def to_spark(offsets: Mapping[tuple[str, int], int]) -> str:
    """Return offsets as Spark's Kafka source takes them: `{"topic": {"0": 5}}`, sorted.

    Args:
        offsets: The offset of each partition.
    """
    by_topic: dict[str, dict[str, int]] = defaultdict(dict)
    for (topic, partition), offset in sorted(offsets.items()):
        by_topic[topic][str(partition)] = offset
    return json.dumps(by_topic)


def from_spark(text: str) -> PartitionOffsets:
    """Return the offsets that Spark has written as JSON.

    Args:
        text: What `to_spark` returns, or Spark writes.

    Raises:
        ValueError: It is something else. The message does not repeat it.
    """
    try:
        found = json.loads(text, object_pairs_hook=_without_repetition)
    except RecursionError as exc:
        raise ValueError("it is nested too deeply") from exc
    return {
        (topic, _partition(partition)): _offset(offset)
        for topic, partitions in _members(found)
        for partition, offset in _members(partitions)
    }


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a topic or a partition is there twice")
    return members


def _members(value: object) -> list[tuple[str, Any]]:
    if not isinstance(value, dict):
        raise ValueError("it is not an object of topics, each with its partitions")  # noqa: TRY004 - of the text, not of the argument
    return list(value.items())


def _partition(name: str) -> int:
    # As Java prints a number, so that no two names are one partition.
    if not (name.isascii() and name.isdigit()) or str(int(name)) != name:
        raise ValueError("a partition is not a number")
    return int(name)


def _offset(value: object) -> int:
    # Spark has negative ones for "the first" and "the last", and never notes where something is so.
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError("an offset is not a number from 0 on")
    return value
