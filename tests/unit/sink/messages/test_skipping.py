"""Messages of runs that the lake has are left out before they are decoded, and counted as ever."""

from __future__ import annotations

import random
from collections.abc import Collection, Iterator
from zlib import crc32

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.lakes.memory_place import MemoryPlace
from support.messages.produce import messages_of
from support.messages.records import make_record

from conformare_schemas import topic_name
from conformare_sink.landing.landing import Landing
from conformare_sink.landing.pending import PendingMessages
from conformare_sink.messages import process as process_module
from conformare_sink.messages import skipping
from conformare_sink.messages.decode import Decoded, decode
from conformare_sink.messages.emission import Decision, EmissionKey, RunKey
from conformare_sink.messages.message import Message
from conformare_sink.messages.skipping import Settle, Settled, Skipped, skip_settled

PREFIX = "test."


@pytest.fixture
def always() -> Iterator[None]:
    """Look at every head, however few messages there are."""
    with pytest.MonkeyPatch.context() as patch:
        look_always(patch)
        yield


def look_always(patch: pytest.MonkeyPatch) -> None:
    """Look at every head, however few messages there are."""
    patch.setattr(skipping, "FEWEST_MESSAGES", 0)
    patch.setattr(skipping, "FEWEST_OF_THEM", 0)


def messages(run_id: str, emission_id: str = "e", pipeline: str = "pipeline") -> list[Message]:
    """The messages of an emission; each place is its own."""
    produced = messages_of(make_record(run_id, pipeline=pipeline), emission_id)
    return [
        Message(m.key, m.value, topic_name(m.grain, PREFIX), 0, crc32(m.value) * 64 + n, n)
        for n, m in enumerate(produced)
    ]


def settled(known: Collection[str] = (), purged: Collection[str] = ()) -> Settle:
    """What is there and what was purged, by run_id."""
    return lambda runs: Settled(
        {run for run in runs if run.run_id in known}, {run for run in runs if run.run_id in purged}
    )


def skipped(
    messages: list[Message], settle: Settle, waiting: str = "", pipeline: str = ""
) -> Skipped:
    """What is left, where a run waits, and where only one pipeline is looked at."""
    return skip_settled(
        messages,
        PREFIX,
        settle,
        lambda run: run.run_id == waiting,
        lambda of_run: pipeline in ("", of_run),
    )


@pytest.mark.usefixtures("always")
def test_what_is_settled_is_left_out_and_counted() -> None:
    """As known, or as purged, which goes before; the others stay in their order."""
    new, known, purged, both = (messages(name) for name in ("new", "known", "purged", "both"))
    garbage = [Message(b"known", b"garbage", f"{PREFIX}runs", 0, 1, 0)]
    found = skipped(
        [*known[:3], *new, *garbage, *purged, *known[3:], *both],
        settled(known=("known", "both"), purged=("purged", "both")),
    )
    assert found.left == [*new, *garbage]
    assert found.decisions == {
        EmissionKey("pipeline", "known", "e"): Decision.REPEAT,
        EmissionKey("pipeline", "purged", "e"): Decision.PURGED,
        EmissionKey("pipeline", "both", "e"): Decision.PURGED,
    }


@pytest.mark.usefixtures("always")
def test_pipelines_that_are_not_wanted_are_not_counted() -> None:
    """`decode` looks at their messages, as at all others."""
    mine, others = messages("r"), messages("r", pipeline="others")
    found = skipped([*mine, *others], settled(known=("r",)), pipeline="pipeline")
    assert found.left == others
    assert found.decisions == {EmissionKey("pipeline", "r", "e"): Decision.REPEAT}


@pytest.mark.usefixtures("always")
def test_what_waits_is_decided_with_the_rest() -> None:
    """By whoever has what waits."""
    one, other = messages("one"), messages("other")
    found = skipped([*one, *other], settled(known=("one", "other")), waiting="one")
    assert found.left == one
    assert found.decisions == {EmissionKey("pipeline", "other", "e"): Decision.REPEAT}


def test_few_messages_are_not_looked_at() -> None:
    """A small batch is not to wait for anything."""

    def never(_: Collection[RunKey]) -> Settled:
        raise AssertionError("the lake was asked")

    few = messages("r") * 10
    assert skipped(few, never) == (few, {})


def test_many_messages_are_asked_about_once_where_hardly_any_run_is_known() -> None:
    """By a sample of them; the known ones are decided as ever."""
    many = [one for n in range(400) for one in messages(f"run-{n}")]
    asked: list[int] = []
    lake = settled(known=("run-7",))

    def ask(runs: Collection[RunKey]) -> Settled:
        asked.append(len(runs))
        return lake(runs)

    assert skipped(many, ask) == (many, {})
    assert len(asked) == 1
    assert asked[0] <= 2 * skipping.LOOKED_AT_FIRST
    most = settled(known={f"run-{n}" for n in range(100)})
    assert len(skipped(many, most).left) == 300 * 8


def decided(
    place: MemoryPlace, batches: list[list[Message]]
) -> tuple[dict[EmissionKey, Decision], Landing, list[int]]:
    """What became of emissions, who landed them, and how many messages were decoded."""
    n_decoded: list[int] = []

    def counting(those: Collection[Message], prefix: str) -> Decoded:
        n_decoded.append(len(those))
        return decode(those, prefix)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(process_module, "decode", counting)
        landing = Landing(place, PendingMessages(place.still_waiting()), PREFIX)
        decisions: dict[EmissionKey, Decision] = {}
        for batch in batches:
            decisions |= landing.land(batch).decisions
    return decisions, landing, n_decoded


@given(seed=st.integers())
@settings(max_examples=60)
def test_it_decides_as_if_all_was_decoded(seed: int) -> None:
    """Runs that are known, that were purged, that wait, and of which a part comes."""
    chance = random.Random(seed)  # noqa: S311 - the same every time
    names = [f"run-{n}" for n in range(5)]
    whole = [messages(name, emission) for name in names for emission in ("a", "b")]
    parts = [chance.sample(those, chance.randint(1, len(those))) for those in whole]
    log = [one for those in parts for one in those]
    chance.shuffle(log)
    cuts = sorted(chance.sample(range(len(log)), 2))
    batches = [log[: cuts[0]], log[cuts[0] : cuts[1]], log[cuts[1] :]]

    def new_place() -> MemoryPlace:
        place = MemoryPlace()
        Landing(place, PendingMessages(), PREFIX).land(messages(names[0], "before"))
        place.purged = {RunKey("pipeline", names[1])}
        return place

    expected_place, place = new_place(), new_place()
    expected, expected_landing, _ = decided(expected_place, batches)
    with pytest.MonkeyPatch.context() as patch:
        look_always(patch)
        found, landing, n_decoded = decided(place, batches)
    assert found == expected
    assert place.rows == expected_place.rows
    assert landing.pending.emissions == expected_landing.pending.emissions
    settled_ones = [one for one in log if one.key in (b"run-0", b"run-1")]
    assert sum(n_decoded) <= len(log) - len(settled_ones)


@pytest.mark.usefixtures("always")
def test_what_waits_of_a_run_that_is_known_by_now_is_decided_with_it() -> None:
    """Somebody else has brought the run meanwhile."""
    place = MemoryPlace()
    one, other = messages("r", "one"), messages("r", "other")
    landing = Landing(place, PendingMessages(), PREFIX)
    landing.land(one[:2])
    Landing(place, PendingMessages(), PREFIX).land(messages("r", "theirs"))
    assert landing.land(other[:1]).decisions == {
        EmissionKey("pipeline", "r", "one"): Decision.REPEAT,
        EmissionKey("pipeline", "r", "other"): Decision.REPEAT,
    }
    assert landing.pending.emissions == 0


@pytest.mark.usefixtures("always")
def test_who_asks_for_it_learns_of_every_message_whether_it_can_be_used() -> None:
    """As a retry does: what stays unusable is to stay in quarantine."""
    place = MemoryPlace()
    landing = Landing(place, PendingMessages(), PREFIX)
    landing.land(messages("r"))
    damaged = messages("r")[0]
    damaged = damaged._replace(value=(damaged.value or b"")[:-1])
    assert landing.land([damaged]).rejected == []
    assert [one.message for one in landing.land([damaged], in_full=True).rejected] == [damaged]
