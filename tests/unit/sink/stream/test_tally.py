"""Emissions are counted once, however many batches their messages come in."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from itertools import chain, pairwise
from typing import cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.lakes.memory_place import MemoryPlace
from support.messages.produce import messages_of
from support.messages.records import make_record

from conformare_schemas import topic_name
from conformare_sink.lake.lake import Lake
from conformare_sink.landing.landing import Landing
from conformare_sink.landing.pending import PendingMessages
from conformare_sink.messages import skipping
from conformare_sink.messages.emission import Decision, EmissionKey, RunKey, identities_of
from conformare_sink.messages.message import Message
from conformare_sink.stream.rehearsal import ReplayedLake
from conformare_sink.stream.scratch import ScratchMessages
from conformare_sink.stream.tally import Tally

PREFIX = "test."
ROWS = {"risks": 3, "owners": 1}


@pytest.fixture
def tally() -> Iterator[Tally]:
    """What counts."""
    with closing(Tally()) as opened:
        yield opened


def test_every_emission_is_counted_once(tally: Tally) -> None:
    """As what became of it first, but for waiting."""
    a, b, c = (EmissionKey("p", "r", name) for name in "abc")
    tally.add(identities_of({a: Decision.WAIT, b: Decision.REPEAT, c: Decision.PURGED}))
    assert tally.counts == {Decision.REPEAT: 1, Decision.PURGED: 1}
    tally.add(identities_of({a: Decision.LAND, b: Decision.REPEAT, c: Decision.PURGED}))
    tally.add(identities_of({a: Decision.REPEAT, b: Decision.WAIT}))
    assert tally.counts == {Decision.LAND: 1, Decision.REPEAT: 1, Decision.PURGED: 1}


def test_emissions_of_other_names_are_others(tally: Tally) -> None:
    """Wherever the borders between their names are."""
    names = [("a", "b", "c"), ("ab", "", "c"), ("a", "bc", ""), ("c", "b", "a"), ("1:a", "b", "c")]
    keys = [EmissionKey(*parts) for parts in names]
    tally.add(identities_of(dict.fromkeys(keys, Decision.LAND)))
    assert tally.counts == {Decision.LAND: len(keys)}


class World:
    """Messages of emissions that are whole or not, of runs that are new, known or purged.

    Args:
        chance: Decides.
    """

    def __init__(self, chance: random.Random) -> None:
        self.place = MemoryPlace()
        self.expected: Counter[str] = Counter()
        self.log: list[Message] = []
        for number in range(chance.randint(1, 5)):
            run_id = f"run-{number}"
            fate = chance.choice(["new", "new", "known", "purged"])
            if fate == "known":
                Landing(self.place, PendingMessages(), PREFIX).land(self._sent(run_id, "before"))
            elif fate == "purged":
                self.place.purged.add(RunKey("pipeline", run_id))
            self._emit(chance, run_id, fate)
        for _ in range(chance.randint(0, 2)):
            self.log.append(Message(b"k", b"garbage", f"{PREFIX}runs", 0, 0, 0))
            self.expected["quarantined"] += 1
        chance.shuffle(self.log)
        self.log = [one._replace(offset=n, timestamp=n) for n, one in enumerate(self.log)]

    def _emit(self, chance: random.Random, run_id: str, fate: str) -> None:
        """Send one or two emissions of a run, some messages twice."""
        emissions = chance.choice([["one"], ["one", "two"]])
        n_whole = 0
        for emission_id in emissions:
            sent = self._sent(run_id, emission_id)
            if chance.random() < 1 / 2:
                sent = chance.sample(sent, chance.randint(1, len(sent) - 1))
            else:
                n_whole += 1
            self.log += sent + chance.sample(sent, chance.randint(0, len(sent)))
        if fate != "new":
            what = {"known": "repeated", "purged": "purged"}[fate]
            self.expected[what] += len(emissions)
        elif n_whole:
            self.expected["landed"] += 1
            self.expected["repeated"] += len(emissions) - 1
        else:
            self.expected["incomplete"] += len(emissions)

    def _sent(self, run_id: str, emission_id: str) -> list[Message]:
        record = make_record(run_id, rows=ROWS)
        return [
            Message(m.key, m.value, topic_name(m.grain, PREFIX), 0, 0, 0)
            for m in messages_of(record, emission_id, max_message_bytes=800)
        ]


@given(seed=st.integers(), n_cuts=st.integers(0, 6), skips=st.booleans())
@settings(max_examples=150)
def test_counts_do_not_depend_on_where_batches_begin(seed: int, n_cuts: int, skips: bool) -> None:
    """And neither on whether known runs are decoded; what waits no more is off the disk."""
    chance = random.Random(seed)  # noqa: S311 - the same world every time
    world = World(chance)
    cuts = [0, *sorted(chance.choices(range(len(world.log) + 1), k=n_cuts)), len(world.log)]
    quarantined = 0
    with (
        pytest.MonkeyPatch.context() as patch,
        closing(ScratchMessages()) as scratch,
        closing(Tally()) as tally,
    ):
        if skips:
            patch.setattr(skipping, "FEWEST_MESSAGES", 0)
            patch.setattr(skipping, "FEWEST_OF_THEM", 0)
        place = ReplayedLake(cast("Lake", world.place), scratch)
        landing = Landing(place, PendingMessages(), PREFIX)
        for first, until in pairwise(cuts):
            landed = landing.land(world.log[first:until])
            quarantined += landed.quarantined
            decided = identities_of(landed.decisions)
            tally.add(decided)
            scratch.forget(chain.from_iterable(decided.values()))
        found = Counter({decision.value: n for decision, n in tally.counts.items()})
        found |= Counter(incomplete=landing.pending.emissions, quarantined=quarantined)
        assert +found == +world.expected
        if not landing.pending.emissions:
            assert len(scratch) == 0
