"""A micro-batch of several portions: what is noted of it, and what is counted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import pytest
from pyspark.sql import DataFrame
from support.lakes.memory_place import BrokenOffError, MemoryPlace
from support.messages.produce import messages_of
from support.messages.records import make_record

from conformare_schemas import topic_name
from conformare_sink.landing import batch
from conformare_sink.landing.batch import BatchLanding
from conformare_sink.landing.landing import Landing
from conformare_sink.landing.pending import PendingMessages
from conformare_sink.landing.report import BatchReport
from conformare_sink.messages.emission import Decision
from conformare_sink.messages.message import Message
from conformare_sink.spark.collect import Collector
from conformare_sink.spark.dealing import Ranges
from conformare_sink.spark.portion import Portion

PREFIX = "test."
READ = {"log": 7}
RANGES: Ranges = {("test.runs", 0): (0, 7)}


def messages(run_id: str, first_offset: int) -> list[Message]:
    """The messages of one run as Kafka delivers them."""
    return [
        Message(m.key, m.value, topic_name(m.grain, PREFIX), 0, first_offset + n, first_offset + n)
        for n, m in enumerate(messages_of(make_record(run_id), f"e-{run_id}"))
    ]


A, B = messages("a", 0), messages("b", 100)


class Batches:
    """Lands batches of given portions in a place, and keeps their reports."""

    def __init__(self, place: MemoryPlace, days: float | None = None) -> None:
        self.reports: list[BatchReport] = []
        self.place = place
        landing = Landing(place, PendingMessages(place.still_waiting()), PREFIX)
        collector = cast("Collector", self)
        self._land = BatchLanding(landing, collector, self.reports.append, days)
        self._portions: list[Portion] = []

    def land(self, *portions: list[Message]) -> BatchReport:
        """Land one batch."""
        is_whole = len(portions) == 1
        self._portions = [Portion(those, is_whole=is_whole) for those in portions]
        self._land(cast("DataFrame", None), len(self.reports), RANGES, READ)
        return self.reports[-1]

    def portions(self, _: DataFrame, ranges: Ranges) -> Iterator[Portion]:
        """Collect the batch that is being landed, as `Collector` does."""
        assert ranges == RANGES
        return iter(self._portions)


@pytest.fixture
def place() -> MemoryPlace:
    """Where the runs land."""
    return MemoryPlace()


@pytest.fixture
def batches(place: MemoryPlace) -> Batches:
    """Lands there."""
    return Batches(place)


def test_what_was_read_is_noted_when_every_portion_has_landed(
    batches: Batches, place: MemoryPlace
) -> None:
    """A process that ends between two portions begins with the first again."""
    for steps in range(2 * 8):
        place.steps_left = steps
        with pytest.raises(BrokenOffError):
            batches.land(A, B)
        assert place.read == {}
        place.__init__()  # type: ignore[misc]  # as it was at first
    batches.land(A, B)
    assert place.read == READ
    assert {run.run_id for run in place.runs} == {"a", "b"}


@pytest.mark.parametrize("last", [[], B[:3], [Message(b"k", b"garbage", "test.runs", 0, 9, 9)]])
def test_what_was_read_is_noted_where_the_last_portion_lands_no_run(
    batches: Batches, place: MemoryPlace, last: list[Message]
) -> None:
    """It waits, or is in quarantine, or was nothing."""
    batches.land(A, last)
    assert place.read == READ


def test_an_emission_of_several_portions_is_counted_once(batches: Batches) -> None:
    """As what became of it in the end."""
    report = batches.land(A[:3], [*A[3:], *B[:2]], A[:1])
    assert report.emissions == {Decision.LAND: 1, Decision.WAIT: 1}
    assert (report.messages, report.pending) == (len(A) + 2 + 1, 1)


def test_what_has_waited_too_long_is_counted_in_the_report(place: MemoryPlace) -> None:
    """And looked for once an hour."""
    batches = Batches(place, 1e-12)
    report = batches.land(A[:3])
    assert (report.set_aside, report.pending) == (1, 0)
    assert "1 incomplete emission(s) set aside" in report.summary()
    assert {one.cause for one in place.rejected.values()} == {
        "incomplete emission: the rest did not come within 1e-12 days"
    }
    assert batches.land(B[:3]).set_aside == 0


def test_very_many_are_set_aside_behind_several_batches(
    place: MemoryPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """None of which takes long."""
    monkeypatch.setattr(batch, "MOST_SET_ASIDE", 1)
    batches = Batches(place, 1e-12)
    assert batches.land([*A[:3], *B[:3]]).set_aside == 1
    assert batches.land([]).set_aside == 1
    batches.land([])
    assert len(batches.reports) == 2
    assert batches.land(A[3:4]).set_aside == 0


def test_a_batch_of_nothing_is_not_told(batches: Batches, place: MemoryPlace) -> None:
    """Offsets may lie behind marks of transactions; what was read is noted all the same."""
    with pytest.raises(IndexError):
        batches.land([])
    assert place.read == READ
