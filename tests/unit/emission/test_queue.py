"""In which order parcels are sent, and that none is forgotten or sent after it is settled."""

from __future__ import annotations

import math
from datetime import datetime, timedelta, timezone
from pathlib import Path

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from support.messages.produce import emission_of
from support.messages.records import make_record

from conformare.emission._parcel import Parcel
from conformare.emission._queue import DeliveryQueue

EMISSION = emission_of(make_record("run-1", rows={}))
CHOICE = st.integers(min_value=0, max_value=1_000)
START = datetime(2026, 1, 2, tzinfo=timezone.utc)


def parcel(*, own: bool = True, spooled: bool = True, age: int = 0) -> Parcel:
    """Return a parcel of 100 bytes that was recorded `age` seconds before the start."""
    return Parcel(
        size_bytes=100,
        recorded_at=START - timedelta(seconds=age),
        emission=None if spooled and not own else EMISSION,
        file=Path("file") if spooled else None,
        own=own,
    )


def test_own_parcels_go_before_adopted_ones() -> None:
    """A backlog of others does not hold up a job's own runs."""
    queue = DeliveryQueue()
    adopted, own = parcel(own=False), parcel()
    queue.add(adopted)
    queue.add(own)
    assert [queue.next(0.0), queue.next(0.0), queue.next(0.0)] == [own, adopted, None]


def test_what_was_put_off_waits_for_its_time() -> None:
    """Then it goes first."""
    queue = DeliveryQueue()
    late, later, own = parcel(), parcel(), parcel()
    for one in (later, late):
        queue.add(one)
        assert queue.next(0.0) is one
    queue.put_off(later, due=7.0)
    queue.put_off(late, due=5.0)
    queue.add(own)
    assert queue.next_due() == 5.0
    assert queue.has_next
    assert [queue.next(5.0), queue.next(6.0), queue.next(6.0)] == [late, own, None]
    assert not queue.has_next
    assert queue.next(7.0) is later
    assert queue.next_due() == math.inf


def test_how_much_waits() -> None:
    """Bytes, the oldest, and what is in the spool."""
    queue = DeliveryQueue()
    assert queue.waiting() == (0, 0, None)
    old, young, in_memory = parcel(own=False, age=9), parcel(age=1), parcel(spooled=False)
    for one in (old, young, in_memory):
        queue.add(one)
    assert queue.waiting() == (3, 300, START - timedelta(seconds=9))
    assert queue.spooled_unsettled == 2
    assert queue.spooled_before(START - timedelta(seconds=5)) == [old]
    assert queue.memory_bytes == 200
    queue.forget_content(young)
    queue.forget_content(young)
    assert queue.memory_bytes == 100


class QueueMachine(RuleBasedStateMachine):
    """Every parcel that is not settled is taken, put off, or can still be taken."""

    def __init__(self) -> None:
        super().__init__()
        self.queue = DeliveryQueue()
        self.now = 0.0
        self.recorded = 0
        # In the order of their adding: a choice among them is to be the same in every run.
        self.unsettled: list[Parcel] = []
        self.taken: list[Parcel] = []

    @rule(own=st.booleans(), spooled=st.booleans(), age=st.integers(0, 5))
    def add(self, *, own: bool, spooled: bool, age: int) -> None:
        # Own ones come in the order of their time, adopted ones from anywhere.
        self.recorded += own
        one = parcel(own=own, spooled=spooled, age=-self.recorded if own else age)
        self.queue.add(one)
        self.unsettled.append(one)

    @rule()
    def take(self) -> None:
        one = self.queue.next(self.now)
        if one is not None:
            assert one in self.unsettled
            assert one not in self.taken
            self.taken.append(one)

    @precondition(lambda self: self.taken)
    @rule(choice=CHOICE, pause=st.floats(0.0, 10.0))
    def put_off(self, choice: int, pause: float) -> None:
        self.queue.put_off(self.taken.pop(choice % len(self.taken)), self.now + pause)

    @precondition(lambda self: self.taken)
    @rule(choice=CHOICE)
    def stand_in_line(self, choice: int) -> None:
        self.queue.stand_in_line(self.taken.pop(choice % len(self.taken)))

    @precondition(lambda self: self.unsettled)
    @rule(choice=CHOICE)
    def settle(self, choice: int) -> None:
        """Also one that stands in line: it may have become too old."""
        one = self.unsettled.pop(choice % len(self.unsettled))
        if one in self.taken:
            self.taken.remove(one)
        self.queue.settle(one, "delivered")

    @rule(pause=st.floats(0.0, 10.0))
    def pass_time(self, pause: float) -> None:
        self.now += pause

    @invariant()
    def counts_agree(self) -> None:
        assert self.queue.waiting().emissions == len(self.queue) == len(self.unsettled)
        waiting = self.queue.waiting()
        assert waiting.size_bytes == 100 * len(self.unsettled)
        assert waiting.oldest == min((one.recorded_at for one in self.unsettled), default=None)
        assert self.queue.spooled_unsettled == sum(one.file is not None for one in self.unsettled)
        assert self.queue.own_unsettled == sum(one.own for one in self.unsettled)
        in_memory = sum(one.size_bytes for one in self.unsettled if one.emission is not None)
        assert self.queue.memory_bytes == in_memory

    def teardown(self) -> None:
        found = []
        while (one := self.queue.next(math.inf)) is not None:
            found.append(one)
        assert len(found) == len(set(found))
        assert set(found) == set(self.unsettled) - set(self.taken)


TestQueueMachine = QueueMachine.TestCase
