"""Messages without a stream: what becomes of them, in a place that only remembers."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

import pyarrow as pa
import pytest
from support.lakes.memory_place import MemoryPlace
from support.messages.produce import messages_of
from support.messages.records import make_record

from conformare_schemas import RUN_GRAINS, topic_name
from conformare_sink.landing import pending as pending_messages
from conformare_sink.landing import rows
from conformare_sink.landing.landing import Landed, Landing
from conformare_sink.landing.pending import PendingMessages
from conformare_sink.messages.emission import Decision, RunKey
from conformare_sink.messages.message import Message

PREFIX = "test."
READ = {"log": 7}
LATER = datetime.now(timezone.utc) + timedelta(days=1)

offsets = itertools.count()


@pytest.fixture
def place() -> MemoryPlace:
    """Where the runs land."""
    return MemoryPlace()


@pytest.fixture
def landing(place: MemoryPlace) -> Landing:
    """Lands there."""
    return Landing(place, PendingMessages(), PREFIX)


def messages(
    run_id: str,
    pipeline: str = "pipeline",
    emission_id: str | None = None,
    content: str = "first",
) -> list[Message]:
    """The messages of one run as Kafka delivers them, each time at other places."""
    record = make_record(run_id, pipeline=pipeline, content=content)
    return [
        Message(m.key, m.value, topic_name(m.grain, PREFIX), 0, offset, offset)
        for m, offset in zip(
            messages_of(record, emission_id or f"e-{run_id}"), offsets, strict=False
        )
    ]


def restarted(place: MemoryPlace) -> Landing:
    """A process that knows what the place knows."""
    place.recover()
    return Landing(place, PendingMessages(place.still_waiting()), PREFIX)


def counts(landed: Landed) -> dict[str, int]:
    """How many emissions met each decision."""
    decided = list(landed.decisions.values())
    return {decision.value: decided.count(decision) for decision in set(decided)}


def test_a_run_lands_when_its_last_message_is_there(place: MemoryPlace, landing: Landing) -> None:
    """What came before has waited, and is told so."""
    *first, last = messages("run-1")
    waiting = landing.land(first, READ)
    assert counts(waiting) == {"incomplete": 1}
    assert waiting.rows == {}
    assert landing.pending.emissions == 1
    assert set(place.waiting) == {message.place for message in first}
    assert place.read == READ
    landed = landing.land([last], {"log": 8})
    assert counts(landed) == {"landed": 1}
    assert landed.rows == {grain: len(rows) for grain, rows in place.rows.items()}
    assert set(landed.rows) == set(RUN_GRAINS)
    assert place.runs == {RunKey("pipeline", "run-1")}
    assert landing.pending.emissions == 0
    assert place.read == {"log": 8}
    assert place.fetched == []


def test_what_cannot_be_used_is_named(landing: Landing) -> None:
    """Beside what can."""
    bad = Message(b"k", b"garbage", f"{PREFIX}runs", 1, 0, 0)
    landed = landing.land([bad, *messages("run-1")])
    assert [one.message for one in landed.rejected] == [bad]
    assert landed.quarantined == 1
    assert counts(landed) == {"landed": 1}


def test_a_purged_run_does_not_land(place: MemoryPlace, landing: Landing) -> None:
    """And is counted as such, and what waited of it waits no more."""
    *first, last = messages("run-1")
    landing.land(first)
    place.purged.add(RunKey("pipeline", "run-1"))
    assert counts(landing.land([last])) == {"purged": 1}
    assert place.runs == set()
    assert landing.pending.emissions == 0


def test_runs_of_other_pipelines_are_not_looked_at(place: MemoryPlace) -> None:
    """Neither landed nor counted nor kept, whole or not."""
    landing = Landing(place, PendingMessages(), PREFIX, pipelines=["wanted"])
    both = messages("run-1", "wanted") + messages("run-1", "other")
    landed = landing.land([*both, *messages("run-2", "other")[:-1]])
    assert counts(landed) == {"landed": 1}
    assert place.runs == {RunKey("wanted", "run-1")}
    assert place.waiting == {}
    assert landed.rejected == []


def test_what_waits_of_another_emission_is_dropped_when_the_run_lands(
    landing: Landing,
) -> None:
    """And counted as a second one."""
    landing.land(messages("run-1", emission_id="half")[1:])
    assert counts(landing.land(messages("run-1"))) == {"landed": 1, "repeated": 1}
    assert landing.pending.emissions == 0


def test_what_waited_before_a_restart_lands_with_the_values_that_the_place_has(
    place: MemoryPlace, landing: Landing
) -> None:
    """In portions, each of which is seen at once; what was read is noted with the last."""
    runs = {run_id: messages(run_id) for run_id in "abc"}
    landing.land([message for those in runs.values() for message in those[1:]])
    landing = restarted(place)
    assert landing.pending.emissions == 3
    place.portion = len(runs["a"]) + 1  # ends in the middle of the next run
    fresh = messages("fresh")
    landed = landing.land([*(those[0] for those in runs.values()), *fresh], READ)
    assert counts(landed) == {"landed": 4}
    assert {run.run_id for run in place.runs} == {"a", "b", "c", "fresh"}
    assert landed.rows == {grain: len(rows) for grain, rows in place.rows.items()}
    assert (landing.pending.emissions, place.read) == (0, READ)


@pytest.mark.parametrize("steps", range(20))
def test_what_was_read_is_noted_when_all_has_landed(place: MemoryPlace, steps: int) -> None:
    """Not with the runs whose values are at hand, while others are still to be fetched."""
    old = messages("old")
    Landing(place, PendingMessages(), PREFIX).land(old[1:])
    landing = restarted(place)
    place.steps_left = steps
    try:
        landing.land([*messages("fresh"), old[0]], READ)
    except Exception:  # noqa: BLE001 - however it ends
        assert place.read == {}
    else:
        assert place.read == READ
        assert {run.run_id for run in place.runs} == {"fresh", "old"}


def test_memory_holds_the_values_of_the_latest_messages_only(
    place: MemoryPlace, landing: Landing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others come from the place; both land."""
    runs = {run_id: messages(run_id) for run_id in ("early", "late")}
    size = sum(len(message.value or b"") for message in runs["late"][1:])
    monkeypatch.setattr(pending_messages, "MOST_VALUE_BYTES", size)
    for those in runs.values():
        landing.land(those[1:])
    landing.land([runs["late"][0]])
    assert place.fetched == []
    landing.land([runs["early"][0]])
    assert set(place.fetched) == {message.place for message in runs["early"][1:]}
    assert {run.run_id for run in place.runs} == {"early", "late"}
    assert sum(len(value) for _, value in landing.pending.values(place.waiting)) == 0


@pytest.mark.parametrize("has_ended", [False, True])
def test_rows_that_come_back_are_bounded(
    place: MemoryPlace, landing: Landing, monkeypatch: pytest.MonkeyPatch, *, has_ended: bool
) -> None:
    """From memory or from the place: small values may have very many."""
    monkeypatch.setattr(rows, "MOST_ROWS", 40)
    place.portion = 1_000
    runs = {run_id: messages(run_id) for run_id in "abcd"}
    landings: list[int] = []
    land = place.land

    def noted(tables: Mapping[str, pa.Table], *more: Any) -> None:
        landings.append(sum(table.num_rows for table in tables.values()))
        land(tables, *more)

    monkeypatch.setattr(place, "land", noted)
    landing.land([message for those in runs.values() for message in those[1:]])
    if has_ended:
        landing = restarted(place)
    landing.land([*(those[0] for those in runs.values()), *messages("fresh")], READ)
    assert sorted(landings) == ([36] * 5 if has_ended else [36] * 3 + [72])
    assert place.read == READ


def test_a_message_that_is_read_again_while_it_waits_is_kept_once(
    place: MemoryPlace, landing: Landing
) -> None:
    """Its value comes with it; what came with it before is taken from the place."""
    whole = messages("run-1")
    landing.land(whole[2:])
    landing = restarted(place)
    kept = dict(place.waiting)
    landing.land(whole[2:4], READ)
    assert place.waiting == kept
    landing.land([*whole[:3], whole[3]])
    assert set(place.fetched) == {message.place for message in whole[4:]}
    assert place.runs == {RunKey("pipeline", "run-1")}


@pytest.mark.parametrize("first_gone", [1, 3])
def test_a_run_whose_messages_were_deleted_while_it_waited_waits_on(
    place: MemoryPlace, landing: Landing, caplog: pytest.LogCaptureFixture, first_gone: int
) -> None:
    """It is told, the others land, and it lands when the messages come again."""
    harmed, sound = messages("harmed"), messages("sound")
    landing.land([*harmed[1:], *sound[1:]])
    landing = restarted(place)
    for message in harmed[first_gone:]:
        del place.waiting[message.place]
    landed = landing.land([sound[0], harmed[0]], READ)
    assert counts(landed) == {"incomplete": 1, "landed": 1}
    (told,) = [record.getMessage() for record in caplog.records]
    assert "are gone from the table `pending`: of 1 emission(s)" in told
    assert place.runs == {RunKey("pipeline", "sound")}
    assert (landing.pending.emissions, place.read) == (1, READ)
    assert set(place.waiting) == {message.place for message in (*harmed[:first_gone], *sound[1:])}
    again = [m._replace(timestamp=m.timestamp + 1_000_000) for m in harmed[first_gone:]]
    assert counts(landing.land(again)) == {"landed": 1}
    assert place.runs == {RunKey("pipeline", "sound"), RunKey("pipeline", "harmed")}


def test_where_a_value_is_gone_another_emission_of_the_run_lands(
    place: MemoryPlace, landing: Landing
) -> None:
    """Which came whole, and would otherwise have been dropped as the second one."""
    first = messages("run-1")
    landing.land(first[1:])
    landing = restarted(place)
    del place.waiting[first[3].place]
    second = messages("run-1", emission_id="another", content="second")
    landed = landing.land([first[0], *second])
    assert sorted(landed.decisions.values(), key=str) == [Decision.LAND, Decision.REPEAT]
    (run,) = place.rows["runs"]
    assert run["emission_id"] == "another"
    assert landing.pending.emissions == 0


def test_one_that_waits_by_a_topic_of_another_prefix_goes_to_quarantine(
    place: MemoryPlace,
) -> None:
    """When its run would land: it cannot be read as what it was kept for."""
    whole = messages("run-1")
    other = [m._replace(topic=m.topic.replace(PREFIX, "other.")) for m in whole[1:]]
    Landing(place, PendingMessages(), "other.").land(other)
    landed = restarted(place).land([whole[0]])
    assert counts(landed) == {"incomplete": 1}
    assert {one.cause.partition(":")[0] for one in landed.rejected} == {"unknown topic"}
    assert set(place.rejected) == {message.place for message in other}


def test_what_has_waited_too_long_is_set_aside_and_comes_back_with_the_rest(
    place: MemoryPlace, landing: Landing
) -> None:
    """Only what nothing was added to since; its messages are in quarantine, with a cause."""
    old, young = messages("old"), messages("young")
    landing.land([*old[2:], *young[2:]])
    between = datetime.now(timezone.utc)
    landing.land([young[1]])
    assert landing.set_aside(between, "incomplete emission: it is old", 9) == 1
    assert landing.pending.emissions == 1
    assert set(place.rejected) == {message.place for message in old[2:]}
    assert {one.cause for one in place.rejected.values()} == {"incomplete emission: it is old"}
    assert set(place.waiting) == {message.place for message in young[1:]}
    assert landing.set_aside(between, "", 9) == 0
    # The rest comes, and waits in turn; then somebody tries again what is in quarantine.
    assert counts(landing.land(old[:2])) == {"incomplete": 1}
    landed = landing.land([one.message for one in place.rejected.values()])
    assert counts(landed) == {"landed": 1}
    assert place.runs == {RunKey("pipeline", "old")}


def test_what_has_landed_since_is_not_set_aside(place: MemoryPlace, landing: Landing) -> None:
    """Its messages are still where they waited, until maintenance."""
    *first, last = messages("run-1")
    landing.land(first)
    landing.land([last])
    assert place.waiting
    assert landing.set_aside(LATER, "", 9) == 0
    assert place.rejected == {}


def test_setting_aside_that_broke_off_is_done_again(place: MemoryPlace, landing: Landing) -> None:
    """Whatever was done of it: no message is lost, and each is in quarantine once."""
    first = messages("run-1")[:-1]
    landing.land(first)
    place.portion = 3
    for steps in range(6):
        place.steps_left = steps
        try:
            landing.set_aside(LATER, "old", 9)
        except Exception:  # noqa: BLE001 - however it ends
            kept = set(place.waiting) | set(place.rejected)
            assert kept == {message.place for message in first}
            landing = restarted(place)
        else:
            break
    assert set(place.rejected) == {message.place for message in first}
    assert (place.waiting, landing.pending.emissions) == ({}, 0)


def test_an_attempt_that_failed_can_be_made_again(place: MemoryPlace, landing: Landing) -> None:
    """By the same process, with the same messages in other portions: nothing is forgotten by it."""
    whole, other = messages("run-1"), messages("run-2")
    landing.land(whole[4:])
    for steps in range(12):
        place.steps_left = steps
        try:
            landing.land([*whole[:4], *other[2:]], READ)
        except Exception:  # noqa: BLE001 - however it ends
            assert place.read == {}
            assert landing.pending.emissions >= 1
            place.recover()
        else:
            break
    assert steps > 6
    assert place.runs == {RunKey("pipeline", "run-1")}
    place.steps_left = None
    assert counts(landing.land(other[:2])) == {"landed": 1}
