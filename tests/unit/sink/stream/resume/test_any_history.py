"""Where a sink resumes, whatever has happened to topics and notes."""

from __future__ import annotations

import random
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from hypothesis import event, given, settings
from hypothesis import strategies as st
from support.lakes.memory_place import BrokenOffError
from support.lakes.memory_source import NAMES, Broker, Notes, begin, land

from conformare_sink.errors import ContinuityError
from conformare_sink.stream.resume.resume import Course


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


@settings(max_examples=300)
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
