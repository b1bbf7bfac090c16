"""Does the sink go on where it ended? What it knows is compared with what the cluster holds.

A stream that ended remembers offsets, and offsets mean something only on the log that they were
read from. Where that log is another one now, or has lost what was not read yet, going on would
leave messages out in silence. Reading everything again never does harm, because the lake takes a
run once: so that is the way on from all of this, and what is told is only what it cannot bring back.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import Enum

from conformare_sink.kafka.cluster import PartitionOffsets
from conformare_sink.kafka.topics import TopicLogs

MOST_PARTITIONS_TOLD = 16


class Kind(str, Enum):
    """What may have happened since the sink ended."""

    OTHER_CLUSTER = "another cluster"
    TOPIC_DELETED = "topic deleted"
    TOPIC_RECREATED = "topic re-created"
    EXPIRED = "messages expired"
    CUT = "log cut"
    LAKE_REPLACED = "lake replaced"
    CHECKPOINT_DAMAGED = "checkpoint damaged"


@dataclass(frozen=True)
class Loss:
    """Messages of one partition that were not landed and cannot be read any more.

    Attributes:
        topic: The topic.
        partition: The partition.
        first: Offset of the first of them.
        end: The offset after the last; None where nobody can know it.
        seen: Up to this offset it is known that there were messages.
    """

    topic: str
    partition: int
    first: int
    end: int | None
    seen: int

    @property
    def at_least(self) -> int:
        """How many messages are known to have been there."""
        return (self.seen if self.end is None else self.end) - self.first


@dataclass(frozen=True)
class Finding:
    """One thing that happened, and what is lost by it."""

    kind: Kind
    what: str
    losses: tuple[Loss, ...] = ()


@dataclass(frozen=True)
class Reading:
    """How far a lake's sink has read, as its checkpoint says, or else its consumer group.

    Attributes:
        read: The first offset of every partition that it has not landed; where a partition is not
            named, nothing of it. None where there is nothing to go on from.
        begun: The same, for the last batch that it began.
        cluster_id: The cluster that it read; None where that is not known.
        topic_ids: The identities of the topics that it read, as far as they are known.
        last_batch: When its last batch began.
    """

    read: PartitionOffsets | None = None
    begun: PartitionOffsets = field(default_factory=dict)
    cluster_id: str | None = None
    topic_ids: Mapping[str, str] = field(default_factory=dict)
    last_batch: datetime | None = None

    def unknown_rest(self, topics: Iterable[str]) -> tuple[Loss, ...]:
        """Return what topics held beyond what was landed, when their logs are gone."""
        read, wanted = self.read or {}, set(topics)
        return tuple(
            Loss(place[0], place[1], first, None, max(first, self.begun.get(place, first)))
            for place, first in sorted(read.items())
            if place[0] in wanted
        )


def compare(reading: Reading, logs: TopicLogs) -> list[Finding]:
    """Return what stands against going on from where the sink has read to.

    Args:
        reading: How far it has read.
        logs: What the cluster holds.
    """
    topics = set(reading.topic_ids) | {topic for topic, _ in reading.read or {}}
    if reading.cluster_id not in (None, logs.cluster_id):
        what = (
            f"the topics are on another Kafka cluster (id {logs.cluster_id}) than what was read "
            f"(id {reading.cluster_id})"
        )
        return [Finding(Kind.OTHER_CLUSTER, what, reading.unknown_rest(topics))]
    existing = {topic for topic, _ in logs.end}
    deleted = topics - existing
    recreated = {
        topic
        for topic, topic_id in reading.topic_ids.items()
        if topic in existing and logs.topic_ids.get(topic, topic_id) != topic_id
    }
    findings = [
        Finding(kind, what, reading.unknown_rest(those))
        for kind, those, what in (
            (Kind.TOPIC_DELETED, deleted, f"deleted: {_names(deleted)}"),
            (Kind.TOPIC_RECREATED, recreated, f"deleted and created again: {_names(recreated)}"),
        )
        if those
    ]
    if reading.read is None:
        return findings
    expired, cut = [], []
    for place, end in sorted(logs.end.items()):
        known = place[0] not in recreated
        read = reading.read.get(place, 0) if known else 0
        begun = max(read, reading.begun.get(place, read)) if known else 0
        oldest = logs.first[place]
        if oldest > read:
            expired.append(Loss(*place, first=read, end=oldest, seen=oldest))
        if end < begun:
            cut.append(Loss(*place, first=max(read, end), end=None, seen=begun))
    if expired:
        what = "messages expired before they were read"
        findings.append(Finding(Kind.EXPIRED, what, tuple(expired)))
    if cut:
        logs_of = _names({loss.topic for loss in cut})
        what = f"the brokers have lost the end of a log that had been read further: {logs_of}"
        findings.append(Finding(Kind.CUT, what, tuple(cut)))
    return findings


def code(identity: str, findings: Sequence[Finding]) -> str:
    """Return a short code for findings, with which they, and no others, can be accepted.

    Args:
        identity: The checkpoint, or else the lake, that they are about.
        findings: What was found.
    """
    content = json.dumps([identity, [asdict(finding) for finding in findings]], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()[:8]


def tell(findings: Iterable[Finding], last_batch: datetime | None) -> str:
    """Return findings as a part of one line, each with what is lost.

    Args:
        findings: What was found.
        last_batch: When the last batch began, for whoever has to find out what came after it.
    """
    return "; ".join(
        f"{finding.what} ({_tell_losses(finding, last_batch)})" for finding in findings
    )


def _tell_losses(finding: Finding, last_batch: datetime | None) -> str:
    gone = finding.kind in (Kind.TOPIC_DELETED, Kind.TOPIC_RECREATED)
    if not finding.losses:
        return "nothing of it had been read" if gone else "nothing is lost"
    known = sum(loss.at_least for loss in finding.losses)
    where = _places(finding.losses)
    if all(loss.end is not None for loss in finding.losses):
        return f"lost: at most {known:,} message(s), {where}"
    verb = "not read" if finding.kind is Kind.OTHER_CLUSTER else "lost"
    least = f"at least {known:,} message(s), " if known else ""
    since = (
        "" if last_batch is None else f"; the last batch was at {last_batch:%Y-%m-%d %H:%M:%S} UTC"
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
