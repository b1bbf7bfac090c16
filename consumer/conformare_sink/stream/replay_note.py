"""How far a replay is, noted in the lake's folder: the same command resumes one that broke off.

What is noted is true of a batch that has landed: all that was read before some offsets is in the lake,
or in quarantine, or was purged; or it waits, and is read again. Reading again never does harm, so what
waits may be noted by ranges that have other messages in them, too.

A note is worth nothing, and the replay begins anew, where the topics are others, or where rows have
gone from the tables since: somebody has deleted runs, and wants them back.
"""

from __future__ import annotations

import hashlib
import json
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise, zip_longest
from typing import Protocol

from pydantic import BaseModel, ConfigDict

from conformare_sink.kafka.offsets import PartitionOffsets
from conformare_sink.kafka.topics import TopicLogs
from conformare_sink.lake.layout import REPLAY_NOTES
from conformare_sink.lake.removals import Mark, Marks, marks_from, marks_if_complete, marks_of
from conformare_sink.lake.tables.tables import LakeTables
from conformare_sink.spark.dealing import Ranges

logger = logging.getLogger("conformare_sink")

NOTE_SECONDS = 5.0
"""How often it is noted at most."""
MOST_WAITING = 200_000
"""Messages; where more wait, what was noted before stays."""
NEAR = 1_000
"""Messages between two ranges; where there are fewer, both are read as one."""
MOST_RANGES = 64
"""Of one partition; each is a job of Spark's."""


class ReplayNote(BaseModel):
    """What the lake's folder says of a replay that is under way."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    cluster_id: str
    topic_ids: dict[str, str]
    tables: dict[str, Mark]
    """Versions of the tables, all of whose rows are trusted in."""
    reached: tuple[tuple[str, int, int], ...]
    """Topic, partition, and the first offset that was not read."""
    again: tuple[tuple[str, int, int, int], ...]
    """Topic, partition, and a range of offsets before that in which messages wait."""


class Waiting(Protocol):
    """What waits for the rest of its emission."""

    def __len__(self) -> int:
        """Return how many messages wait."""

    def offsets(self) -> Mapping[tuple[str, int], Sequence[int]]:
        """Return their offsets, in order, by topic and partition."""


@dataclass(frozen=True)
class Course:
    """What a replay reads."""

    starts: PartitionOffsets
    """The offset at which each partition is begun."""
    again: tuple[Ranges, ...] = ()
    """What is read before that, one after the other."""
    read_before: int = 0
    """Messages that a replay has read which broke off."""


class ReplayNotes:
    """The note of one replay.

    Args:
        tables: The lake's tables, open for writing.
        identity: What tells its selection from another one.
        logs: What the cluster holds.
    """

    def __init__(self, tables: LakeTables, identity: object, logs: TopicLogs) -> None:
        digest = hashlib.sha256(json.dumps(identity, sort_keys=True, default=str).encode())
        self._name = f"{REPLAY_NOTES}{digest.hexdigest()[:12]}.json"
        self._tables = tables
        self._logs = logs
        self._noted_at = -NOTE_SECONDS
        self._marks: Marks | None = None
        """The versions that all rows are trusted in of; None where nothing can be noted."""

    def begin(self, starts: PartitionOffsets) -> Course:
        """Return what is read: all, or what a replay has left that broke off.

        Args:
            starts: The offset at which each partition is begun where nothing is noted.
        """
        content = self._tables.storage.read(self._name)
        if content is not None:
            try:
                note = ReplayNote.model_validate_json(content)
            except ValueError:
                note = None
            if note is not None and (course := self._resumed(note, starts)) is not None:
                logger.info("the replay resumes: %d messages were read", course.read_before)
                return course
            logger.info("the replay begins anew: topics or tables have changed since it broke off")
            self.end()
        if {topic for topic, _ in self._logs.end} == self._logs.topic_ids.keys():
            self._marks = marks_of(self._tables)
        return Course(starts)

    def landed(self, reached: PartitionOffsets, waiting: Waiting) -> None:
        """Note how far it is, now that a batch has landed; not more often than is worth it.

        Args:
            reached: The first offset of each partition that was not read.
            waiting: What waits.
        """
        now = time.monotonic()
        if self._marks is None or now - self._noted_at < NOTE_SECONDS:
            return
        self._noted_at = now
        if len(waiting) > MOST_WAITING:
            return
        self._marks = marks_from(self._tables, self._marks)
        if self._marks is None:
            logger.info("rows have gone from the tables meanwhile: the replay could not be resumed")
            self.end()
            return
        offsets = waiting.offsets()
        covered = {place: cover(offsets.get(place, ()), end) for place, end in reached.items()}
        note = ReplayNote(
            cluster_id=self._logs.cluster_id,
            topic_ids=dict(self._logs.topic_ids),
            tables=dict(self._marks),
            reached=tuple((*place, start) for place, (_, start) in covered.items()),
            again=tuple((*place, *one) for place, (ranges, _) in covered.items() for one in ranges),
        )
        self._tables.storage.write(self._name, note.model_dump_json().encode())

    def end(self) -> None:
        """Remove the note: the replay is done."""
        self._tables.storage.remove(self._name)

    def _resumed(self, note: ReplayNote, starts: PartitionOffsets) -> Course | None:
        logs = self._logs
        reached = {(topic, partition): offset for topic, partition, offset in note.reached}
        if (note.cluster_id, note.topic_ids) != (logs.cluster_id, dict(logs.topic_ids)):
            return None
        if any(offset > logs.end.get(place, 0) for place, offset in reached.items()):
            return None  # the brokers have lost the end of a log
        self._marks = marks_if_complete(self._tables, note.tables)
        if self._marks is None:
            return None
        begun = {place: max(start, reached.get(place, 0)) for place, start in starts.items()}
        ranges: dict[tuple[str, int], list[tuple[int, int]]] = {place: [] for place in starts}
        for topic, partition, first, until in note.again:
            there = max(first, starts[topic, partition])
            if there < until:  # otherwise it has expired
                ranges[topic, partition].append((there, until))
        levels = zip_longest(*ranges.values())
        again = tuple(
            {place: one for place, one in zip(ranges, level, strict=True) if one is not None}
            for level in levels
        )
        read_before = sum(offset - starts[place] for place, offset in begun.items())
        return Course(begun, again, read_before)


def cover(offsets: Sequence[int], end: int) -> tuple[list[tuple[int, int]], int]:
    """Return a few ranges of a partition that have some offsets in them, and where the rest begins.

    Args:
        offsets: In order; all are before the end.
        end: The first offset that was not read.

    Returns:
        Ranges: first offset, and the one behind the last. And the offset from which on all is read;
        it is before the end where messages that wait are near it.
    """
    points = [*offsets, end]
    gaps = [(after - before, n) for n, (before, after) in enumerate(pairwise(points), 1)]
    wide = sorted((one for one in gaps if one[0] > NEAR), reverse=True)[:MOST_RANGES]
    cuts = [0, *sorted(n for _, n in wide)]
    ranges = [(points[first], points[until - 1] + 1) for first, until in pairwise(cuts)]
    return ranges, points[cuts[-1]]
