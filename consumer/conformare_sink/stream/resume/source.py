"""Which topics a lake has read, and how far: noted in the lake, by the topics' identities.

An offset means something only on the log that it was read from. A topic's identity tells its logs
from those of another topic that has been made under the same name.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict, Field

from conformare_sink.kafka.offsets import PartitionOffsets
from conformare_sink.kafka.topics import TopicLogs


class KnownTopic(BaseModel):
    """A topic that the lake has read.

    Attributes:
        topic_id: The identity that it got when it was created; its name for brokers that give none.
        partitions: How many partitions it had.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    topic_id: str
    partitions: int


class Source(BaseModel):
    """Where a lake's runs come from.

    Attributes:
        cluster_id: The Kafka cluster; None where no topic was read yet.
        topics: The topics by name.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    cluster_id: str | None = None
    topics: dict[str, KnownTopic] = Field(default_factory=dict)

    @classmethod
    def of(cls, logs: TopicLogs) -> Source:
        """Return what there is to be read from now on."""
        partitions: dict[str, int] = {}
        for topic, _ in logs.end:
            partitions[topic] = partitions.get(topic, 0) + 1
        topics = {
            name: KnownTopic(topic_id=logs.topic_ids.get(name, name), partitions=n)
            for name, n in partitions.items()
        }
        return cls(cluster_id=logs.cluster_id, topics=topics)

    def joined_by(self, newer: Source) -> Source:
        """Return this with what is read from now on; topics of another prefix stay known."""
        if self.cluster_id != newer.cluster_id:
            return newer
        return Source(cluster_id=newer.cluster_id, topics={**self.topics, **newer.topics})

    def log_names(self) -> dict[tuple[str, int], str]:
        """Return what the lake calls the log of each partition."""
        return {
            (name, partition): f"{topic.topic_id}:{partition}"
            for name, topic in self.topics.items()
            for partition in range(topic.partitions)
        }


class Notes(Protocol):
    """What a lake keeps of its source."""

    def source(self) -> dict[str, Any] | None:
        """Return what is noted; None where nothing is."""

    def note_source(self, source: Mapping[str, Any]) -> None:
        """Note it."""

    def read_to(self, logs: Collection[str]) -> dict[str, int]:
        """Return how far some logs were read, of those known."""


def read_source(notes: Notes) -> Source:
    """Return where a lake's runs come from, as far as it is known."""
    noted = notes.source()
    try:
        return Source() if noted is None else Source.model_validate(noted)
    except ValueError:
        return Source()  # nothing is lost by that: the topics are read from their beginning


def offsets_read(notes: Notes, source: Source) -> PartitionOffsets:
    """Return the first offset of every partition that the lake has not read, where it is known."""
    names = source.log_names()
    found = notes.read_to(list(names.values()))
    return {place: found[name] for place, name in names.items() if name in found}
