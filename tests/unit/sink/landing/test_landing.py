"""Messages without a stream: what becomes of them, in a place that only remembers."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import pyarrow as pa
import pytest
from support.produce import messages_of
from support.records import make_record

from conformare_schemas import GRAINS, topic_name
from conformare_sink.landing.landing import Landing
from conformare_sink.landing.pending import PendingMessages
from conformare_sink.messages.emission import Decision, RunKey
from conformare_sink.messages.envelope import Envelope, Rejected
from conformare_sink.messages.message import Message

PREFIX = "test."


class Memory:
    """A place to land that is no lake."""

    def __init__(self) -> None:
        self.runs: list[RunKey] = []
        self.purged: set[RunKey] = set()
        self.rows: dict[str, int] = {}
        self.rejected: list[Rejected] = []
        self.kept: list[Envelope] = []

    def known_runs(self, runs: Collection[RunKey]) -> set[RunKey]:
        """Those that landed."""
        return set(self.runs).intersection(runs)

    def purged_runs(self, runs: Collection[RunKey]) -> set[RunKey]:
        """Those that the test says."""
        return self.purged.intersection(runs)

    def land(self, rows: Mapping[str, pa.Table], runs: Collection[RunKey]) -> None:
        """Remember them."""
        self.runs += runs
        self.rows = {grain: table.num_rows for grain, table in rows.items()}

    def quarantine(self, rejected: Collection[Rejected]) -> int:
        """Remember them; none was there."""
        self.rejected += rejected
        return len(rejected)

    def keep_waiting(self, envelopes: Collection[Envelope]) -> None:
        """Remember them."""
        self.kept += envelopes


@pytest.fixture
def place() -> Memory:
    """Where the runs land."""
    return Memory()


def messages(run_id: str, pipeline: str = "pipeline", first_offset: int = 0) -> list[Message]:
    """The messages of one run as Kafka delivers them."""
    return [
        Message(m.key, m.value, topic_name(m.grain, PREFIX), 0, first_offset + n, first_offset + n)
        for n, m in enumerate(messages_of(make_record(run_id, pipeline=pipeline), f"e-{run_id}"))
    ]


def test_a_run_lands_when_its_last_message_is_there(place: Memory) -> None:
    """What came before has waited, and is told so."""
    landing = Landing(place, PendingMessages(), PREFIX)
    *first, last = messages("run-1")
    waiting = landing.land(first)
    assert waiting.emissions[Decision.WAIT] == 1
    assert waiting.rows == {}
    assert landing.pending.emissions == 1
    assert len(place.kept) == len(first)
    landed = landing.land([last])
    assert landed.emissions[Decision.LAND] == 1
    assert landed.rows == place.rows
    assert [*landed.rows] == list(GRAINS)
    assert place.runs == [RunKey("pipeline", "run-1")]
    assert landing.pending.emissions == 0


def test_what_cannot_be_used_is_named(place: Memory) -> None:
    """Beside what can."""
    bad = Message(b"k", b"garbage", f"{PREFIX}runs", 1, 0, 0)
    landed = Landing(place, PendingMessages(), PREFIX).land([bad, *messages("run-1")])
    assert [one.message for one in landed.rejected] == [bad]
    assert landed.quarantined == 1
    assert landed.emissions[Decision.LAND] == 1


def test_a_purged_run_does_not_land(place: Memory) -> None:
    """And is counted as such."""
    place.purged.add(RunKey("pipeline", "run-1"))
    landed = Landing(place, PendingMessages(), PREFIX).land(messages("run-1"))
    assert landed.emissions == {
        Decision.LAND: 0,
        Decision.REPEAT: 0,
        Decision.WAIT: 0,
        Decision.PURGED: 1,
    }
    assert place.runs == []


def test_runs_of_other_pipelines_are_not_looked_at(place: Memory) -> None:
    """Neither landed nor counted nor kept, whole or not."""
    landing = Landing(place, PendingMessages(), PREFIX, pipelines=["wanted"])
    both = messages("run-1", "wanted") + messages("run-1", "other", 100)
    landed = landing.land([*both, *messages("run-2", "other", 200)[:-1]])
    assert sum(landed.emissions.values()) == landed.emissions[Decision.LAND] == 1
    assert place.runs == [RunKey("wanted", "run-1")]
    assert place.kept == []
    assert landed.rejected == []
