"""A replay that broke off is resumed: less is read, and the lake is as if it had never broken off."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import cast

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st
from support.lakes.landed import tables_in
from support.lakes.memory_place import BrokenOffError, MemoryPlace
from support.messages.produce import messages_of
from support.messages.records import make_record

from conformare_schemas import topic_name
from conformare_sink.kafka.topics import TopicLogs
from conformare_sink.lake.lake import Lake
from conformare_sink.lake.removals import Mark, Marks
from conformare_sink.lake.tables.tables import LakeTables
from conformare_sink.landing.landing import Landing
from conformare_sink.landing.pending import PendingMessages
from conformare_sink.messages.emission import identities_of
from conformare_sink.messages.message import Message
from conformare_sink.stream import replay_note
from conformare_sink.stream.rehearsal import ReplayedLake
from conformare_sink.stream.replay_note import Course, ReplayNotes, cover
from conformare_sink.stream.scratch import ScratchMessages

PREFIX = "test."
Place = tuple[str, int]
Offsets = dict[Place, int]
ONE: Place = ("t", 0)
MARKS = {"runs": Mark(table_id="a table", version=3, commit="a digest")}


@given(
    offsets=st.lists(st.integers(0, 10**6), max_size=200, unique=True).map(sorted),
    beyond=st.integers(1, 10**6),
)
def test_what_waits_is_in_the_ranges_or_in_the_rest(offsets: list[int], beyond: int) -> None:
    """In few ranges, in order, none of which is near the next one."""
    end = max(offsets, default=0) + beyond
    ranges, start = cover(offsets, end)
    assert len(ranges) <= replay_note.MOST_RANGES
    assert start <= end
    for offset in offsets:
        assert offset >= start or any(first <= offset < until for first, until in ranges)
    borders = [border for one in ranges for border in one] + [start]
    assert borders == sorted(borders)
    for until, first in zip(borders[1::2], borders[2::2], strict=True):
        assert first - until >= replay_note.NEAR


def test_a_partition_is_covered_by_what_is_near() -> None:
    """Old ones by themselves; those before the end belong to the rest."""
    assert cover([], 500) == ([], 500)
    assert cover([100], 101) == ([], 100)
    assert cover([5, 9, 900_000, 999_990], 10**6) == ([(5, 10), (900_000, 900_001)], 999_990)
    scattered = list(range(0, 10**7, 10**4))
    ranges, start = cover(scattered, 10**7)
    assert len(ranges) + (start < 10**7) >= replay_note.MOST_RANGES


class Waiting(dict[Place, Sequence[int]]):
    """Offsets of what waits, by topic and partition."""

    def __len__(self) -> int:
        return sum(map(len, self.values()))

    def offsets(self) -> Mapping[Place, Sequence[int]]:
        """The same."""
        return self


class Notes:
    """The notes of replays in one folder, over logs and tables that a test changes.

    Args:
        folder: The lake's.
    """

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.tables = cast("LakeTables", tables_in(folder))
        self.logs = TopicLogs("cluster", {"t": "an id"}, {ONE: 0}, {ONE: 10**6})
        self.marks: Marks | None = MARKS
        patch.setattr(replay_note, "NOTE_SECONDS", 0.0)
        patch.setattr(replay_note, "marks_of", lambda _: self.marks)
        for name in ("marks_if_complete", "marks_from"):
            patch.setattr(replay_note, name, lambda _, __: self.marks)

    def of(self, identity: object = "all") -> ReplayNotes:
        """The note of a replay that begins now."""
        return ReplayNotes(self.tables, identity, self.logs)

    def begin(self, identity: object = "all") -> Course:
        """Where a replay begins now."""
        return self.of(identity).begin(dict(self.logs.first))

    def break_off(self, reached: int, waiting: Sequence[int] = ()) -> None:
        """Begin, land up to an offset, and end without a word."""
        notes = self.of()
        notes.begin(dict(self.logs.first))
        notes.landed({ONE: reached}, Waiting({ONE: waiting}))


@pytest.fixture
def notes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Notes:
    """Those of a new lake."""
    return Notes(tmp_path / "lake", monkeypatch)


def test_the_same_replay_resumes_and_another_one_does_not(notes: Notes) -> None:
    """Until it is done."""
    notes.break_off(500_000, [20, 499_999])
    assert notes.begin("another") == Course({ONE: 0})
    resumed = notes.of()
    assert resumed.begin({ONE: 0}) == Course({ONE: 499_999}, ({ONE: (20, 21)},), 499_999)
    resumed.end()
    assert notes.begin() == Course({ONE: 0})
    assert notes.tables.storage.names() == []


def test_what_has_expired_is_not_read_again(notes: Notes) -> None:
    """A range whose first messages are gone is read from where the log begins."""
    notes.break_off(500_000, [20, 5_000, 5_900])
    notes.logs = replace(notes.logs, first={ONE: 5_500})
    assert notes.begin() == Course({ONE: 500_000}, ({ONE: (5_500, 5_901)},), 494_500)
    notes.logs = replace(notes.logs, first={ONE: 600_000})
    assert notes.begin() == Course({ONE: 600_000})


@pytest.mark.parametrize(
    "changed",
    [
        {"cluster_id": "another"},
        {"topic_ids": {"t": "made again"}},
        {"topic_ids": {}},
        {"end": {ONE: 400_000}},
    ],
)
def test_it_begins_anew_where_the_logs_are_others(notes: Notes, changed: dict[str, object]) -> None:
    """Or have lost their end; the note is removed."""
    notes.break_off(500_000)
    notes.logs = replace(notes.logs, **changed)  # type: ignore[arg-type]  # of any field
    assert notes.begin() == Course({ONE: 0})
    assert notes.tables.storage.names() == []


def test_it_begins_anew_where_rows_have_gone(notes: Notes) -> None:
    """Somebody wants them back."""
    notes.break_off(500_000)
    notes.marks = None
    assert notes.begin() == Course({ONE: 0})
    assert notes.tables.storage.names() == []


def test_nothing_is_noted_where_rows_have_gone_meanwhile(notes: Notes) -> None:
    """What was noted before goes as well."""
    running = notes.of()
    running.begin({ONE: 0})
    running.landed({ONE: 10}, Waiting())
    notes.marks = None
    running.landed({ONE: 20}, Waiting())
    notes.marks = MARKS
    running.landed({ONE: 30}, Waiting())
    assert notes.tables.storage.names() == []


def test_nothing_is_noted_for_topics_without_an_identity_or_tables_of_a_catalog(
    notes: Notes,
) -> None:
    """Nobody could tell whether they are the same."""
    notes.logs = replace(notes.logs, topic_ids={})
    notes.break_off(10)
    notes.logs = replace(notes.logs, topic_ids={"t": "an id"})
    notes.marks = None
    notes.break_off(10)
    assert notes.tables.storage.names() == []


def test_where_very_much_waits_what_was_noted_before_stays(
    notes: Notes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is true for ever."""
    running = notes.of()
    running.begin({ONE: 0})
    running.landed({ONE: 10}, Waiting())
    monkeypatch.setattr(replay_note, "MOST_WAITING", 2)
    running.landed({ONE: 20}, Waiting({ONE: [1, 2, 3]}))
    assert notes.begin() == Course({ONE: 10}, read_before=10)


def test_a_note_that_is_no_note_is_no_harm(notes: Notes) -> None:
    """As one of a newer release."""
    notes.break_off(10)
    (name,) = notes.tables.storage.names()
    notes.tables.storage.write(name, b'{"of": "another release"}')
    assert notes.begin() == Course({ONE: 0})


class Topics:
    """Logs of some topics, with messages of emissions that are whole or not.

    Args:
        chance: Decides.
        n_runs: How many there are.
    """

    def __init__(self, chance: random.Random, n_runs: int) -> None:
        self.logs: dict[Place, list[Message]] = defaultdict(list)
        self.whole: set[str] = set()
        produced = []
        for run_id in (f"run-{n}" for n in range(n_runs)):
            record = make_record(run_id, rows={"risks": 3, "owners": 1})
            sent = messages_of(record, f"e-{run_id}", max_message_bytes=800)
            if chance.random() < 1 / 4:
                sent = chance.sample(sent, chance.randint(1, len(sent) - 1))
            else:
                self.whole.add(run_id)
            produced += sent
        # About in the order of time.
        order = sorted(range(len(produced)), key=lambda n: n + chance.uniform(0, 9))
        for n in order:
            message, topic = produced[n], topic_name(produced[n].grain, PREFIX)
            log = self.logs[topic, chance.randrange(2)]
            log.append(Message(message.key, message.value, topic, 0, len(log), n))
        for (_, partition), log in self.logs.items():
            log[:] = [one._replace(partition=partition) for one in log]

    def ends(self) -> Offsets:
        """Where the next message goes."""
        return {place: len(log) for place, log in self.logs.items()}

    def read(self, ranges: Mapping[Place, tuple[int, int]]) -> list[Message]:
        """Some messages."""
        return [
            m for place, (first, until) in ranges.items() for m in self.logs[place][first:until]
        ]


def replay(
    topics: Topics, place: MemoryPlace, notes: ReplayNotes, chance: random.Random, batches: int
) -> int:
    """Replay everything, or end without a word after some batches; return how many were read."""
    course = notes.begin(dict.fromkeys(topics.logs, 0))
    n_read = 0
    with closing(ScratchMessages()) as scratch:
        landing = Landing(ReplayedLake(cast("Lake", place), scratch), PendingMessages(), PREFIX)

        def land(ranges: Mapping[Place, tuple[int, int]]) -> None:
            nonlocal n_read
            messages = topics.read(ranges)
            n_read += len(messages)
            decided = identities_of(landing.land(messages).decisions)
            scratch.forget(chain.from_iterable(decided.values()))

        for ranges in course.again:
            land(ranges)
        at, ends = dict(course.starts), topics.ends()
        while at != ends:
            if not batches:
                raise BrokenOffError
            batches -= 1
            to = {where: min(end, at[where] + chance.randint(0, 6)) for where, end in ends.items()}
            land({where: (at[where], to[where]) for where in at})
            at = to
            notes.landed(at, scratch)
    notes.end()
    return n_read


@given(seed=st.integers(), breaks=st.lists(st.integers(0, 5), max_size=4))
@settings(max_examples=60)
def test_a_replay_that_breaks_off_anywhere_lands_the_same(seed: int, breaks: list[int]) -> None:
    """Between two batches or in the middle of one; every run once, and whole."""
    chance = random.Random(seed)  # noqa: S311 - the same world every time
    topics = Topics(chance, chance.randint(1, 8))
    logs = TopicLogs(
        "cluster", {topic: topic for topic, _ in topics.logs}, dict.fromkeys(topics.logs, 0),
        topics.ends(),
    )  # fmt: skip
    place = MemoryPlace()
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(replay_note, "NEAR", 2)
        patch.setattr(replay_note, "MOST_RANGES", 3)
        world = Notes(Path(folder), patch)
        world.logs = logs
        for batches in breaks:
            place.steps_left = chance.choice([None, chance.randint(0, 12)])
            try:
                replay(topics, place, world.of(), chance, batches)
            except BrokenOffError:
                event("it has broken off")
            place.recover()
        replay(topics, place, world.of(), chance, batches=-1)
        assert world.tables.storage.names() == []
    assert {run.run_id for run in place.runs} == topics.whole
    assert len(place.rows.get("runs", ())) == len(topics.whole)
    assert len(place.rows.get("risks", ())) == 3 * len(topics.whole)


def test_a_replay_that_resumes_reads_only_what_was_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Although there are emissions that wait for ever."""
    chance = random.Random(1)  # noqa: S311 - the same every time
    topics = Topics(chance, 40)
    assert len(topics.whole) < 35
    world = Notes(tmp_path, monkeypatch)
    monkeypatch.setattr(replay_note, "NEAR", 2)
    world.logs = TopicLogs("cluster", {topic: topic for topic, _ in topics.logs}, {}, topics.ends())
    place = MemoryPlace()
    with pytest.raises(BrokenOffError):
        replay(topics, place, world.of(), random.Random(2), batches=15)  # noqa: S311 - the same every time
    n_messages = sum(map(len, topics.logs.values()))
    assert replay(topics, place, world.of(), chance, batches=-1) < n_messages * 2 / 3
    assert {run.run_id for run in place.runs} == topics.whole
