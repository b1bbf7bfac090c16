"""Whatever order messages come in, however they are dealt out, and whenever the process ends."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime, timezone
from functools import cache
from zlib import crc32

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st
from support.lakes.memory_place import BrokenOffError, MemoryPlace
from support.messages.produce import messages_of
from support.messages.records import Record, make_declaration, make_record

from conformare_schemas import RUN_GRAINS, SOURCE_RISKS, topic_name
from conformare_sink.landing import pending, rows
from conformare_sink.landing.landing import Landing
from conformare_sink.landing.pending import PendingMessages
from conformare_sink.messages.decode import decode
from conformare_sink.messages.emission import EmissionKey, Piece, RunKey
from conformare_sink.messages.envelope import Envelope
from conformare_sink.messages.message import Message

PREFIX = "test."
LOGS = ("0", "1", "2")
ROWS = {"contexts": 2, "risks": 3, "owners": 1}

Log = list[Message]


@cache
def emitted(run_id: str, content: str) -> tuple[Record, list[tuple[bytes, bytes, str]]]:
    """A record, and the messages of one emission of it: each of its grains in one or two."""
    record = make_record(run_id, content=content, rows=ROWS)
    produced = messages_of(record, f"{run_id}-{content}", max_message_bytes=900)
    return record, [(m.key, m.value, topic_name(m.grain, PREFIX)) for m in produced]


class World:
    """Some runs, and logs that hold the messages of their emissions.

    Args:
        chance: Decides.
    """

    def __init__(self, chance: random.Random) -> None:
        self.records: dict[EmissionKey, Record] = {}
        self.whole: set[EmissionKey] = set()
        produced: list[tuple[bytes, bytes, str]] = []
        for number in range(chance.randint(1, 4)):
            run_id = f"run-{number}"
            for content in chance.choice([("first",), ("first", "second")]):
                record, messages = emitted(run_id, content)
                key = EmissionKey("pipeline", run_id, f"{run_id}-{content}")
                self.records[key] = record
                sent = list(messages)
                if chance.random() < 1 / 3:
                    sent = chance.sample(messages, chance.randint(1, len(messages) - 1))
                else:
                    self.whole.add(key)
                produced += sent + chance.sample(sent, chance.randint(0, len(sent) // 2))
        self.declared: dict[str, Record] = {}
        for number in range(chance.randint(0, 3)):
            record = make_declaration(f"/data/{number % 2}")
            self.declared[f"declared-{number}"] = record
            (message,) = messages_of(record, f"declared-{number}")
            declaring = (message.key, message.value, topic_name(message.grain, PREFIX))
            produced += [declaring] * chance.randint(1, 3)
        produced += [(b"k", b"garbage", f"{PREFIX}runs")] * chance.randint(0, 2)
        chance.shuffle(produced)
        self.logs: dict[str, Log] = {name: [] for name in LOGS}
        for time, (key_bytes, value, topic) in enumerate(produced):
            log = self.logs[name := chance.choice(LOGS)]
            log.append(Message(key_bytes, value, topic, int(name), len(log), time))
        # The partition of every topic in a log; so a message is told by it and its offset.
        self.envelopes: dict[tuple[str, int], Envelope] = {}
        decoded = decode([m for log in self.logs.values() for m in log], PREFIX)
        for envelope in decoded.envelopes:
            place = envelope.message.place
            self.envelopes[str(place.partition), place.offset] = envelope
        self.declaring: dict[tuple[str, int], str] = {
            (name, offset): emission_id
            for name, log in self.logs.items()
            for offset, one in enumerate(log)
            for emission_id in decode([one], PREFIX)
            .declared.column("emission_id")
            .unique()
            .to_pylist()
        }


def in_portions(chance: random.Random, messages: list[Message]) -> list[list[Message]]:
    """Deal messages out: by key, or as it comes where very much has one key."""
    n_portions = chance.choice([1, 1, 2, 3])
    by_key = chance.random() < 1 / 2
    dealt: dict[int, list[Message]] = defaultdict(list)
    for message in messages:
        number = crc32(message.key or b"") if by_key else chance.randrange(n_portions)
        dealt[number % n_portions].append(message)
    portions = list(dealt.values()) or [[]]
    chance.shuffle(portions)
    return portions


class Sink:
    """Reads the logs of a world and lands what they hold, process after process."""

    def __init__(self, world: World, chance: random.Random) -> None:
        self.world = world
        self.place = MemoryPlace()
        self._chance = chance
        self._restart()

    def _restart(self) -> None:
        self.place.recover()
        self.place.portion = self._chance.randint(1, 5)
        self._landing = Landing(self.place, PendingMessages(self.place.still_waiting()), PREFIX)
        self._at = {name: self.place.read.get(name, 0) for name in LOGS}

    def batch(self, ends: Mapping[str, int], steps: int | None) -> None:
        """Land what the logs hold up to some offsets, unless the process ends after some commits."""
        messages = [m for name in LOGS for m in self.world.logs[name][self._at[name] : ends[name]]]
        portions = in_portions(self._chance, messages)
        self.place.steps_left = steps
        try:
            for number, portion in enumerate(portions, 1):
                self._landing.land(portion, ends if number == len(portions) else None)
        except BrokenOffError:
            event("the process has ended in a batch")
            self._restart()
        else:
            self.place.steps_left = None
            self._at = dict(ends)
            if self._chance.random() < 1 / 5:
                self._restart()
        self._all_that_was_read_is_kept()

    def some(self) -> None:
        """Land a little more, and maybe break off."""
        ends = {
            name: self._chance.randint(self._at[name], len(log))
            for name, log in self.world.logs.items()
        }
        steps = self._chance.randint(0, 8) if self._chance.random() < 1 / 2 else None
        self.batch(ends, steps)

    def rest(self) -> None:
        """Land all that the logs hold."""
        self.batch({name: len(log) for name, log in self.world.logs.items()}, None)

    def read_again(self) -> None:
        """Begin before what is noted, as who has lost that does."""
        self._restart()
        self._at = {name: self._chance.randint(0, at) for name, at in self._at.items()}

    def set_aside(self) -> None:
        """Put some that wait into quarantine."""
        self._landing.set_aside(datetime.now(timezone.utc), "incomplete emission", 2)
        self._all_that_was_read_is_kept()

    def retry(self) -> None:
        """Land what is in quarantine and can be used, as `conformare quarantine retry` does."""
        messages = [one.message for one in self.place.rejected.values()]
        landed = self._landing.land(messages)
        unusable = {one.message.place for one in landed.rejected}
        for message in messages:
            if message.place not in unusable:
                del self.place.rejected[message.place]
        self._all_that_was_read_is_kept()

    def _all_that_was_read_is_kept(self) -> None:
        """What is noted as read has landed, or waits, or is in quarantine."""
        waits = {piece_of(envelope) for envelope, _ in self.place.waiting.values()}
        aside = {place[1:3] for place in self.place.rejected}
        aside_pieces = {
            piece_of(self.world.envelopes[str(partition), offset])
            for partition, offset in aside
            if (str(partition), offset) in self.world.envelopes
        }
        declared = {row["emission_id"] for row in self.place.rows.get(SOURCE_RISKS, ())}
        for name, end in self.place.read.items():
            for offset in range(end):
                if emission_id := self.world.declaring.get((name, offset)):
                    assert emission_id in declared
                    continue
                envelope = self.world.envelopes.get((name, offset))
                if envelope is None:
                    assert (int(name), offset) in aside
                    continue
                run = RunKey(envelope.pipeline, envelope.run_id)
                assert run in self.place.runs or piece_of(envelope) in waits | aside_pieces


def piece_of(envelope: Envelope) -> tuple[str, Piece]:
    """What a message carries, of which emission."""
    piece = Piece(envelope.grain, envelope.first_row, envelope.n_rows)
    return envelope.emission_id, piece


STEPS = (Sink.some, Sink.some, Sink.some, Sink.read_again, Sink.set_aside, Sink.retry)


@settings(max_examples=150)
@given(
    seed=st.integers(),
    steps=st.lists(st.sampled_from(STEPS), max_size=8),
    most_value_bytes=st.sampled_from([0, 2_000, 1_000_000]),
    most_rows=st.sampled_from([4, 250_000]),
)
def test_every_run_is_there_with_the_rows_of_one_emission(
    seed: int, steps: list[object], most_value_bytes: int, most_rows: int
) -> None:
    """Nothing lost, nothing twice, and what is not whole waits."""
    chance = random.Random(seed)  # noqa: S311 - the same world every time
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pending, "MOST_VALUE_BYTES", most_value_bytes)
        patch.setattr(rows, "MOST_ROWS", most_rows)
        world = World(chance)
        sink = Sink(world, chance)
        for step in steps:
            step(sink)  # type: ignore[operator]  # a step is drawn as an object
        sink.rest()
        sink.retry()

    place = sink.place
    assert place.runs == {key.run for key in world.whole}
    landed: dict[EmissionKey, dict[str, list[object]]] = defaultdict(lambda: defaultdict(list))
    for grain in RUN_GRAINS:
        for row in place.rows.get(grain, ()):
            key = EmissionKey(row["pipeline"], row["run_id"], row.pop("emission_id"))
            landed[key][grain].append({**row, "ts": None})
    assert len(landed) == len(place.runs)
    assert landed.keys() <= world.whole
    for key, found in landed.items():
        expected = {
            grain: [{**row, "ts": None} for row in of_grain]
            for grain, of_grain in world.records[key].items()
            if of_grain
        }
        assert {g: sorted(map(str, those)) for g, those in found.items()} == {
            g: sorted(map(str, those)) for g, those in expected.items()
        }
    rows_declared: dict[str, list[str]] = defaultdict(list)
    for row in place.rows.get(SOURCE_RISKS, ()):
        rows_declared[row.pop("emission_id")].append(str({**row, "ts": None}))
    assert {key: sorted(those) for key, those in rows_declared.items()} == {
        key: sorted(str({**row, "ts": None}) for row in record[SOURCE_RISKS])
        for key, record in world.declared.items()
    }
    waiting = {RunKey(one.pipeline, one.run_id) for one in place.still_waiting()}
    assert waiting == {key.run for key in world.records} - place.runs
    assert {one.cause.partition(":")[0] for one in place.rejected.values()} <= {"not framed"}
    assert place.read == {name: len(log) for name, log in world.logs.items()}
