"""Topics, and what a lake notes of them: as much of both as a stream needs to begin."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, cast

import pytest

from conformare_sink.errors import ContinuityError
from conformare_sink.kafka.topics import TopicLogs, Topics
from conformare_sink.options import SinkOptions
from conformare_sink.stream.resume.resume import Course, Resumption
from support.lakes.memory_place import BrokenOffError

NAMES = ("t.risks", "t.runs")
OPTIONS = SinkOptions(bootstrap_servers="broker:9092", lake="/lake", topic_prefix="t.")


class Notes:
    """What a lake keeps of its source, and nothing else of it."""

    lake_id = "lake-1"
    address = "file:/lake"

    def __init__(self) -> None:
        self.noted: dict[str, Any] | None = None
        self.read: dict[str, int] = {}
        self.steps_left: int | None = None

    def source(self) -> dict[str, Any] | None:
        """Return what is noted."""
        return self.noted

    def note_source(self, source: Mapping[str, Any]) -> None:
        """Note it."""
        self._step()
        self.noted = dict(source)

    def read_to(self, logs: Collection[str]) -> dict[str, int]:
        """Return how far some logs were read."""
        return {log: self.read[log] for log in logs if log in self.read}

    def note_read(self, read: Mapping[str, int]) -> None:
        """Note how far logs were read."""
        assert read
        self._step()
        self.read |= read

    def youngest(self) -> datetime | None:
        """Return that nobody knows."""
        return None

    def _step(self) -> None:
        if self.steps_left is not None:
            if self.steps_left == 0:
                self.steps_left = None
                raise BrokenOffError
            self.steps_left -= 1


class Broker:
    """Topics that hold logs; each topic that is made gets an identity, which may not be told."""

    bootstrap_servers = "broker:9092"
    names = NAMES

    def __init__(self, cluster_id: str) -> None:
        self.cluster_id = cluster_id
        self.tells_ids = True
        self.ids: dict[str, str] = {}
        self.first: dict[tuple[str, int], int] = {}
        self.end: dict[tuple[str, int], int] = {}
        self._made = 0

    def create_those_of_runs(self) -> list[str]:
        """Create the topics that do not exist."""
        missing = [name for name in NAMES if name not in self.ids]
        for name in missing:
            self.make(name)
        return missing

    def logs(self, _read: Collection[str] = ()) -> TopicLogs:
        """Return what there is."""
        ids = dict(self.ids) if self.tells_ids else {}
        return TopicLogs(self.cluster_id, ids, dict(self.first), dict(self.end))

    def make(self, name: str, partitions: int = 2) -> None:
        """Make a topic, in place of one of that name."""
        self.delete(name)
        self._made += 1
        self.ids[name] = f"{self.cluster_id}-{name}-{self._made}"
        for partition in range(partitions):
            self.first[name, partition] = self.end[name, partition] = 0

    def delete(self, name: str) -> None:
        """Delete a topic."""
        self.ids.pop(name, None)
        for place in [place for place in self.end if place[0] == name]:
            del self.first[place], self.end[place]

    def produce(self, messages: int = 5) -> None:
        """Send messages to every partition."""
        for place in self.end:
            self.end[place] += messages


def begin(notes: Notes, broker: Broker, **options: Any) -> Course:
    """Begin a stream."""
    given_options = OPTIONS.model_copy(update=options)
    return Resumption(given_options, notes, cast("Topics", broker)).begin()


def land(notes: Notes, course: Course, ends: Mapping[tuple[str, int], int]) -> None:
    """Land a batch."""
    if read := course.new_to_note(dict(ends)):
        notes.note_read(read)
    course.noted(dict(ends))


def accepted(notes: Notes, broker: Broker) -> tuple[tuple[str, ...], Course]:
    """Begin a stream although something is lost; return what was found, too."""
    with pytest.raises(ContinuityError) as told:
        begin(notes, broker)
    return told.value.found, begin(notes, broker, accept_loss=told.value.code)
