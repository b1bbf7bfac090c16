"""Which topics a lake has read, and how far: noted in the lake, by the topics' identities.

An offset means something only on the log that it was read from. A topic's identity tells its logs
from those of another topic that has been made under the same name.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict, Field

from conformare_sink.kafka.offsets import PartitionOffsets
from conformare_sink.kafka.topics import TopicLogs


class KnownTopic(BaseModel):
    """A topic that the lake has read.

    Attributes:
        topic_id: The identity that it got when it was created; None for brokers that give none.
        partitions: How many partitions it had.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    topic_id: str | None
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
        """Return what there is to be read."""
        partitions: dict[str, int] = {}
        for topic, _ in logs.end:
            partitions[topic] = partitions.get(topic, 0) + 1
        topics = {
            name: KnownTopic(topic_id=logs.topic_ids.get(name), partitions=n)
            for name, n in partitions.items()
        }
        return cls(cluster_id=logs.cluster_id, topics=topics)

    def has_same(self, name: str, other: Source) -> bool:
        """Return whether both have a topic of a name, and it may be one and the same.

        It may be where a broker does not tell the identity.
        """
        mine, others = self.topics.get(name), other.topics.get(name)
        if mine is None or others is None or self.cluster_id != other.cluster_id:
            return False
        return None in (mine.topic_id, others.topic_id) or mine.topic_id == others.topic_id

    def followed_by(self, newer: Source) -> Source:
        """Return this with what is read from now on; topics of another prefix stay known."""
        if self.cluster_id != newer.cluster_id:
            return newer
        topics = dict(newer.topics)
        for name, topic in newer.topics.items():
            if topic.topic_id is None and name in self.topics:
                known = self.topics[name].topic_id
                topics[name] = KnownTopic(topic_id=known, partitions=topic.partitions)
        return Source(cluster_id=newer.cluster_id, topics={**self.topics, **topics})

    def with_partitions(self, places: Iterable[tuple[str, int]]) -> Source | None:
        """Return this with partitions of its topics that are new to it; None where none is."""
        topics = dict(self.topics)
        for name, partition in places:
            known = topics[name]
            n_partitions = max(known.partitions, partition + 1)
            topics[name] = KnownTopic(topic_id=known.topic_id, partitions=n_partitions)
        more = Source(cluster_id=self.cluster_id, topics=topics)
        return None if more == self else more

    def log_name(self, place: tuple[str, int]) -> str:
        """Return what the lake calls the log of a partition of one of the topics."""
        name, partition = place
        return f"{self.topics[name].topic_id or f'{self.cluster_id}/{name}'}:{partition}"

    def places(self) -> list[tuple[str, int]]:
        """Return the partitions of all topics."""
        return [(name, p) for name, topic in self.topics.items() for p in range(topic.partitions)]


class Notes(Protocol):
    """What a lake keeps of its source."""

    def source(self) -> dict[str, Any] | None:
        """Return what is noted; None where nothing is."""

    def note_source(self, source: Mapping[str, Any]) -> None:
        """Note it."""

    def read_to(self, logs: Collection[str]) -> dict[str, int]:
        """Return how far some logs were read, of those known."""

    def note_read(self, read: Mapping[str, int]) -> None:
        """Note how far logs were read."""


def read_source(notes: Notes) -> Source:
    """Return where a lake's runs come from, as far as it is known."""
    noted = notes.source()
    try:
        return Source() if noted is None else Source.model_validate(noted)
    except ValueError:
        return Source()  # the lake still knows how far it has read the logs that are there


def offsets_read(
    notes: Notes, source: Source, places: Iterable[tuple[str, int]]
) -> PartitionOffsets:
    """Return the first offset of some partitions that the lake has not read, where it is known.

    Args:
        notes: What the lake keeps.
        source: Has the topics of the partitions.
        places: The partitions.
    """
    names = {place: source.log_name(place) for place in places}
    found = notes.read_to(list(names.values()))
    return {place: found[name] for place, name in names.items() if name in found}
