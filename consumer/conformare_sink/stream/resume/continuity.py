"""Can the sink resume where it ended? What the lake knows is compared with what the cluster holds.

Offsets mean something only on the log that they were read from. Where that log is another one now,
or has lost what was not read yet, going on would leave messages out in silence. Reading again never
does harm, because the lake takes a run once: so a log that is not the same is read from its
beginning, and what is told is only what that cannot bring back.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import Enum

from conformare_sink.kafka.offsets import PartitionOffsets
from conformare_sink.kafka.topics import TopicLogs
from conformare_sink.stream.resume.source import Notes, Source, offsets_read, read_source

MOST_PARTITIONS_TOLD = 16


class Happened(str, Enum):
    """What may have happened since the sink ended."""

    OTHER_CLUSTER = "another cluster"
    OTHER_TOPICS = "other topics"
    TOPIC_DELETED = "topic deleted"
    TOPIC_RECREATED = "topic re-created"
    EXPIRED = "messages expired"
    CUT = "log cut"
    LAKE_REPLACED = "lake replaced"


@dataclass(frozen=True)
class Loss:
    """Messages of one partition that were not landed and cannot be read any more.

    Attributes:
        topic: The topic.
        partition: The partition.
        first: Offset of the first of them.
        end: The offset after the last; None where nobody can know it.
    """

    topic: str
    partition: int
    first: int
    end: int | None

    @property
    def at_least(self) -> int:
        """How many messages are known to have been there."""
        return 0 if self.end is None else self.end - self.first


@dataclass(frozen=True)
class Finding:
    """One thing that happened, and what is lost by it."""

    kind: Happened
    what: str
    losses: tuple[Loss, ...] = ()


@dataclass(frozen=True)
class Reading:
    """How far a lake has read.

    Attributes:
        read: The first offset of every partition that it has not; where a partition is not named,
            nothing of it.
        source: Where it has read, as far as that is noted.
    """

    read: PartitionOffsets
    source: Source

    @classmethod
    def of(cls, notes: Notes, logs: TopicLogs) -> Reading:
        """Return how far a lake has read.

        Args:
            notes: What the lake keeps.
            logs: What the cluster holds.
        """
        noted, now = read_source(notes), Source.of(logs)
        topics = {**now.topics, **noted.topics}
        source = Source(cluster_id=noted.cluster_id or now.cluster_id, topics=topics)
        places = dict.fromkeys([*source.places(), *logs.end])
        return cls(offsets_read(notes, source, places), noted)

    def unknown_rest(self, topics: Iterable[str]) -> tuple[Loss, ...]:
        """Return what topics held beyond what was read, when their logs are gone."""
        begun = {topic for topic, _ in self.read} & set(topics)
        first = dict.fromkeys(self.source.places(), 0) | self.read
        return tuple(
            Loss(topic, partition, offset, None)
            for (topic, partition), offset in sorted(first.items())
            if topic in begun
        )


def compare(reading: Reading, logs: TopicLogs, names: Collection[str]) -> list[Finding]:
    """Return what stands against going on from where the lake has read to.

    Args:
        reading: How far it has read.
        logs: What the cluster holds.
        names: The topics that are to be read.
    """
    source, now = reading.source, Source.of(logs)
    if source.cluster_id not in (None, logs.cluster_id):
        what = (
            f"the topics are on another Kafka cluster (id {logs.cluster_id}) than what was read "
            f"(id {source.cluster_id})"
        )
        return [Finding(Happened.OTHER_CLUSTER, what, reading.unknown_rest(source.topics))]
    if source.topics and not source.topics.keys() & set(names):
        what = f"the lake has read other topics: {_names(source.topics)}"
        return [Finding(Happened.OTHER_TOPICS, what)]
    wanted = source.topics.keys() & set(names)
    deleted = wanted - now.topics.keys()
    recreated = {name for name in wanted - deleted if not source.has_same(name, now)}
    findings = [
        Finding(kind, f"{told}: {_names(those)}", reading.unknown_rest(those))
        for kind, those, told in (
            (Happened.TOPIC_DELETED, deleted, "deleted"),
            (Happened.TOPIC_RECREATED, recreated, "deleted and created again"),
        )
        if those
    ]
    return [*findings, *_gone(reading, logs, recreated)]


def _gone(reading: Reading, logs: TopicLogs, recreated: Collection[str]) -> Iterator[Finding]:
    """Return what logs have lost that was not read yet, at their beginning or at their end."""
    expired, cut = [], []
    for place, end in sorted(logs.end.items()):
        if place not in reading.read and place[0] not in reading.source.topics:
            continue  # of a topic that is new to the lake, nothing is missed
        read = 0 if place[0] in recreated else reading.read.get(place, 0)
        oldest = logs.first[place]
        if oldest > read:
            expired.append(Loss(*place, first=read, end=oldest))
        if end < read:
            cut.append(Loss(*place, first=end, end=None))
    if expired:
        what = "messages expired before they were read"
        yield Finding(Happened.EXPIRED, what, tuple(expired))
    if cut:
        logs_of = _names({loss.topic for loss in cut})
        what = f"the brokers have lost the end of a log that had been read further: {logs_of}"
        yield Finding(Happened.CUT, what, tuple(cut))


def starts(reading: Reading, logs: TopicLogs) -> PartitionOffsets:
    """Return the offset at which every partition is begun.

    A log that is the same as before goes on where it was read to; every other is read from its
    beginning. No run lands twice.

    Args:
        reading: How far the lake has read.
        logs: What the cluster holds.
    """
    source, now = reading.source, Source.of(logs)
    begun = {}
    for place, end in logs.end.items():
        # What was read of a topic that is not noted, was looked for by the identity that it has.
        is_same = place[0] not in source.topics or source.has_same(place[0], now)
        read = reading.read.get(place, 0) if is_same else 0
        begun[place] = read if logs.first[place] <= read <= end else logs.first[place]
    return begun


def code(identity: str, findings: Sequence[Finding]) -> str:
    """Return a short code for findings, with which they, and no others, can be accepted.

    Args:
        identity: The lake that they are about.
        findings: What was found.
    """
    content = json.dumps([identity, [asdict(finding) for finding in findings]], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()[:8]


def tell(findings: Iterable[Finding], youngest: datetime | None) -> str:
    """Return findings as a part of one line, each with what is lost.

    Args:
        findings: What was found.
        youngest: When the youngest run of the lake was recorded, for whoever has to find out what
            came after it.
    """
    return "; ".join(f"{finding.what} ({_tell_losses(finding, youngest)})" for finding in findings)


def _tell_losses(finding: Finding, youngest: datetime | None) -> str:
    gone = finding.kind in (Happened.TOPIC_DELETED, Happened.TOPIC_RECREATED)
    if not finding.losses:
        return "it had never been read" if gone else "nothing is lost"
    known = sum(loss.at_least for loss in finding.losses)
    where = _places(finding.losses)
    if all(loss.end is not None for loss in finding.losses):
        return f"lost: at most {known:,} message(s), {where}"
    verb = "not read" if finding.kind is Happened.OTHER_CLUSTER else "lost"
    least = f"at least {known:,} message(s), " if known else ""
    since = (
        ""
        if youngest is None
        else f"; the youngest run in the lake was recorded at {youngest:%Y-%m-%d %H:%M:%S} UTC"
    )
    return f"{verb}: {where}; {least}nobody can tell how many{since}"


def _places(found: Sequence[Loss]) -> str:
    """Offsets by topic and partition, or by topic alone where there are many."""
    if len(found) <= MOST_PARTITIONS_TOLD:
        return ", ".join(f"{loss.topic}[{loss.partition}] {_range(loss)}" for loss in found)
    by_topic: dict[str, list[Loss]] = defaultdict(list)
    for loss in found:
        by_topic[loss.topic].append(loss)
    return ", ".join(
        f"{topic} ({len(those)} partitions: {sum(loss.at_least for loss in those):,})"
        for topic, those in by_topic.items()
    )


def _range(loss: Loss) -> str:
    if loss.end is None:
        return f"from {loss.first}"
    return str(loss.first) if loss.end == loss.first + 1 else f"{loss.first}-{loss.end - 1}"


def _names(topics: Iterable[str]) -> str:
    return ", ".join(sorted(topics))
