"""Where a sink resumes, whatever has happened to topics and notes: without Kafka and without a lake."""

from __future__ import annotations

import copy
import random
from collections import defaultdict
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from conformare_sink.errors import CheckpointRefusedError, ContinuityError
from conformare_sink.kafka.topics import TopicLogs, Topics
from conformare_sink.options import SinkOptions
from conformare_sink.stream.resume.marker import MARKER
from conformare_sink.stream.resume.resume import Course, Resumption

NAMES = ("t.risks", "t.runs")
OPTIONS = SinkOptions(bootstrap_servers="broker:9092", lake="/lake", topic_prefix="t.")


class BrokenOffError(Exception):
    """The process has ended in the middle."""


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

    def create(self) -> list[str]:
        """Create the topics that do not exist."""
        missing = [name for name in NAMES if name not in self.ids]
        for name in missing:
            self.make(name)
        return missing

    def logs(self) -> TopicLogs:
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


@pytest.fixture
def broker() -> Broker:
    """Its topics hold messages."""
    made = Broker("cluster")
    made.create()
    made.produce()
    return made


@pytest.fixture
def notes() -> Notes:
    """Those of a new lake."""
    return Notes()


def test_a_new_lake_reads_from_the_beginning_and_notes_where_that_is(
    notes: Notes, broker: Broker
) -> None:
    """So that nobody takes for lost what was gone before the lake was there."""
    broker.first["t.runs", 1] = 3
    course = begin(notes, broker)
    assert course.starts == broker.first
    assert notes.read == {f"{broker.ids['t.runs']}:1": 3}
    assert begin(notes, broker).starts == broker.first


def test_a_start_that_broke_off_takes_nothing_for_lost(notes: Notes, broker: Broker) -> None:
    """Wherever it did."""
    broker.first["t.runs", 1] = 3
    for steps in range(2):
        notes.steps_left = steps
        with pytest.raises(BrokenOffError):
            begin(notes, broker)
    assert begin(notes, broker).starts == broker.first


def test_a_log_is_known_by_the_identity_of_its_topic(notes: Notes, broker: Broker) -> None:
    """Also where somebody has deleted the note of the topics; a topic made again is read anew."""
    land(notes, begin(notes, broker), broker.end)
    assert begin(notes, broker).starts == broker.end
    notes.noted = None
    assert begin(notes, broker).starts == broker.end
    notes.noted = {"topics": "damaged"}
    assert begin(notes, broker).starts == broker.end
    broker.make("t.runs")
    broker.produce(9)
    found, course = accepted(notes, broker)
    assert found == ("topic re-created",)
    assert course.starts == broker.first | {("t.risks", 0): 5, ("t.risks", 1): 5}


def test_only_what_a_batch_has_added_is_noted(notes: Notes, broker: Broker) -> None:
    """A commit should not name hundreds of partitions in which nothing happens."""
    course = begin(notes, broker)
    ends = {**broker.first, ("t.runs", 0): 4}
    assert course.new_to_note(ends) == {f"{broker.ids['t.runs']}:0": 4}
    course.noted(ends)
    assert course.new_to_note(ends) == {}


def test_a_batch_that_failed_is_noted_when_it_lands(notes: Notes, broker: Broker) -> None:
    """Nothing is taken for noted before."""
    course = begin(notes, broker)
    assert course.new_to_note(broker.end) == course.new_to_note(broker.end) != {}


def test_partitions_that_come_while_the_stream_runs_are_noted_like_the_others(
    notes: Notes, broker: Broker
) -> None:
    """What a deleted topic had beyond is told; and what expires of them later was read."""
    course = begin(notes, broker)
    broker.first["t.runs", 4] = 0
    broker.end["t.runs", 4] = 7
    broker.first["t.runs", 2] = broker.end["t.runs", 2] = 0
    broker.first["t.runs", 3] = broker.end["t.runs", 3] = 0
    land(notes, course, broker.end)
    noted, notes.noted = notes.noted, None
    broker.produce()
    land(notes, course, broker.end)
    assert notes.noted is None  # once was enough
    notes.noted = noted
    deleted = copy.deepcopy(broker)
    deleted.delete("t.runs")
    with pytest.raises(ContinuityError) as told:
        begin(notes, deleted)
    assert ("t.runs", 4, 12, None) in told.value.lost
    broker.first["t.runs", 4] = 12
    assert begin(notes, broker).starts == broker.end


def test_brokers_that_learn_to_tell_identities_change_nothing(notes: Notes, broker: Broker) -> None:
    """Nor such as tell them no more."""
    broker.tells_ids = False
    land(notes, begin(notes, broker), broker.end)
    assert begin(notes, broker).starts == broker.end
    for tells_ids in (True, False, True):
        broker.tells_ids = tells_ids
        assert begin(notes, broker).starts == broker.end
        broker.first |= {("t.runs", 0): broker.end["t.runs", 0]}
        broker.produce()
        course = begin(notes, broker)
        assert course.starts["t.runs", 0] == broker.end["t.runs", 0] - 5
        land(notes, course, broker.end)
    broker.tells_ids = False
    begin(notes, broker)
    broker.tells_ids = True
    broker.make("t.risks")
    assert accepted(notes, broker)[0] == ("topic re-created",)


@pytest.mark.parametrize("tells_ids", [True, False])
def test_another_cluster_is_read_from_its_beginning(
    notes: Notes, broker: Broker, *, tells_ids: bool
) -> None:
    """Though its topics have the same names; and so is the first one, when it is back."""
    broker.tells_ids = tells_ids
    land(notes, begin(notes, broker), broker.end)
    other = Broker("other")
    other.tells_ids = tells_ids
    other.create()
    other.produce(9)
    found, course = accepted(notes, other)
    assert (found, course.starts) == (("another cluster",), other.first)
    land(notes, course, other.end)
    assert begin(notes, other).starts == other.end
    found, course = accepted(notes, broker)
    assert found == ("another cluster",)
    land(notes, course, broker.end)
    notes.noted = None
    third = Broker("third")
    third.tells_ids = tells_ids
    third.create()
    third.produce(9)
    assert begin(notes, third).starts == third.first


def test_a_lake_that_took_the_place_of_another_is_told(
    notes: Notes, broker: Broker, tmp_path: Path
) -> None:
    """By a sink that remembers the one before; what expired since the beginning is told with it."""
    checkpoint = tmp_path / "checkpoint"
    land(notes, begin(notes, broker, checkpoint=checkpoint), broker.end)
    broker.first["t.runs", 0] = 2
    notes = Notes()
    notes.lake_id = "lake-2"
    with pytest.raises(ContinuityError) as told:
        begin(notes, broker, checkpoint=checkpoint)
    assert told.value.found == ("lake replaced", "messages expired")
    assert told.value.lost == (("t.runs", 0, 0, 2),)
    course = begin(notes, broker, checkpoint=checkpoint, accept_loss=told.value.code)
    assert course.starts == broker.first
    assert begin(notes, broker, checkpoint=checkpoint).starts == broker.first
    assert notes.noted is not None

    notes.lake_id, notes.address = "lake-3", "file:/elsewhere"
    with pytest.raises(CheckpointRefusedError, match=f"--checkpoint {checkpoint}-lake-3"):
        begin(notes, broker, checkpoint=checkpoint)


@pytest.mark.parametrize("content", [b"", b"[]", b'{"lake_id": "x"}', b"\xff"])
def test_what_a_sink_remembers_may_be_damaged(
    notes: Notes, broker: Broker, tmp_path: Path, content: bytes
) -> None:
    """Its writer ended just then: the lake knows all that matters."""
    (tmp_path / MARKER).write_bytes(content)
    assert begin(notes, broker, checkpoint=tmp_path).starts == broker.first


@pytest.mark.parametrize("where", ["s3://bucket/checkpoint", "file:/checkpoint"])
def test_a_checkpoint_is_a_folder_of_this_machine(notes: Notes, broker: Broker, where: str) -> None:
    """A URL would become a folder of a strange name."""
    with pytest.raises(CheckpointRefusedError, match="is a URL: give a folder of this machine"):
        begin(notes, broker, checkpoint=Path(where))


def test_somebody_elses_folder_is_no_checkpoint(
    notes: Notes, broker: Broker, tmp_path: Path
) -> None:
    """It is left alone."""
    (tmp_path / "theirs").touch()
    with pytest.raises(CheckpointRefusedError, match="is not empty and is not a checkpoint"):
        begin(notes, broker, checkpoint=tmp_path)


@dataclass
class World:
    """Clusters, and what was read of each log for certain."""

    chance: random.Random
    brokers: list[Broker] = field(default_factory=lambda: [Broker("A"), Broker("B")])
    notes: Notes = field(default_factory=Notes)
    at: int = 0
    read: dict[tuple[str, int], set[int]] = field(default_factory=lambda: defaultdict(set))

    @property
    def broker(self) -> Broker:
        """The cluster that the address leads to."""
        return self.brokers[self.at]

    def move(self) -> None:
        """Lead the address to the other cluster."""
        self.at = 1 - self.at

    def produce(self) -> None:
        """Send messages."""
        for place in self.broker.end:
            self.broker.end[place] += self.chance.randint(0, 5)

    def expire(self) -> None:
        """Let messages be gone."""
        for place, first in self.broker.first.items():
            self.broker.first[place] = self.chance.randint(first, self.broker.end[place])

    def make_again(self) -> None:
        """Make a topic again; where that is not told, nobody can know it."""
        if self.broker.tells_ids:
            self.broker.make(self.chance.choice(NAMES), self.chance.randint(1, 3))

    def delete(self) -> None:
        """Delete a topic, which is made again under another identity."""
        if self.broker.tells_ids:
            self.broker.delete(self.chance.choice(NAMES))

    def add_partition(self) -> None:
        """Add a partition to a topic, if it is there."""
        name = self.chance.choice(NAMES)
        if name in self.broker.ids:
            place = (name, sum(1 for topic, _ in self.broker.end if topic == name))
            self.broker.first[place] = self.broker.end[place] = 0

    def forget_source(self) -> None:
        """Delete the note of the topics."""
        self.notes.noted = None

    def learn_ids(self) -> None:
        """Upgrade the brokers, which have not told identities."""
        self.broker.tells_ids = True

    def run(self) -> None:
        """Read and land, and maybe end in the middle."""
        self.notes.steps_left = self.chance.choice([None, None, 0, 1, 2, 3])
        with suppress(BrokenOffError):
            course = self.begin()
            for place, start in course.starts.items():
                skipped = range(self.broker.first[place], start)
                assert set(skipped) <= self.read[self._log(place)], (place, start)
            at = course.starts
            for _ in range(self.chance.randint(0, 3)):
                if self.chance.random() < 1 / 3:
                    self.produce()
                    self.add_partition()
                ends = {
                    place: self.chance.randint(at.get(place, self.broker.first[place]), end)
                    for place, end in self.broker.end.items()
                }
                land(self.notes, course, ends)
                for place, end in ends.items():
                    begun = at.get(place, self.broker.first[place])
                    self.read[self._log(place)] |= set(range(begun, end))
                at = ends
        self.notes.steps_left = None

    def begin(self) -> Course:
        """Begin a stream, and accept what is lost."""
        try:
            return begin(self.notes, self.broker)
        except ContinuityError as told:
            event(f"found: {', '.join(told.found)}")
            return begin(self.notes, self.broker, accept_loss=told.code)

    def _log(self, place: tuple[str, int]) -> tuple[str, int]:
        return self.broker.ids[place[0]], place[1]


STEPS = (
    *(World.run, World.run, World.run, World.produce, World.produce, World.expire),
    *(World.make_again, World.delete, World.add_partition, World.move, World.forget_source),
    World.learn_ids,
)


@settings(max_examples=300, deadline=None)
@given(
    seed=st.integers(),
    steps=st.lists(st.sampled_from(STEPS), min_size=4, max_size=30),
    tell_ids=st.booleans(),
)
def test_nothing_that_was_not_read_is_passed_over(
    seed: int, steps: list[Any], *, tell_ids: bool
) -> None:
    """Whatever happens between two starts of a sink, and wherever one ends."""
    world = World(random.Random(seed))  # noqa: S311 - the same world every time
    for made in world.brokers:
        made.tells_ids = tell_ids
    for step in steps:
        step(world)
    world.run()
    course = world.begin()
    assert course.starts.keys() == world.broker.end.keys()
    # What was accepted is not asked again.
    assert begin(world.notes, world.broker).starts == course.starts
