"""Over rows in memory, every question is answered as plain Python answers it, also while runs land."""

from __future__ import annotations

from datetime import timedelta
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.fleet.asked import answers, differences, expected
from support.fleet.growing import GrowingStore
from support.fleet.invented import START, Emission, Invention

from conformare.fleet import Fleet
from conformare.fleet.questions import acknowledged_row, drift

NOW = START + timedelta(days=3)
AS_OF = (START, START + timedelta(hours=20))
LEAST_PATIENCE = timedelta(minutes=20)


@given(
    st.randoms(use_true_random=False), st.integers(0, 40), st.sampled_from([None, LEAST_PATIENCE])
)
@settings(max_examples=40)
def test_every_answer_is_that_of_plain_python(
    random: Random, runs: int, max_age: timedelta | None
) -> None:
    store = GrowingStore()
    store.land(Invention(random, random.randint(1, 4)).emissions(runs))
    store.changes()
    fleet = Fleet(store, now=NOW, max_age=max_age)
    wanted = expected(store.past, AS_OF, NOW, max_age)
    assert not differences(answers(fleet, AS_OF), wanted)


@given(st.randoms(use_true_random=False), st.integers(0, 40))
@settings(max_examples=40)
def test_runs_that_land_in_any_order_and_portions_leave_the_same_answers(
    random: Random, runs: int
) -> None:
    emissions = Invention(random, random.randint(1, 3)).emissions(runs)
    random.shuffle(emissions)
    store = GrowingStore()
    fleet = Fleet(store, now=NOW)
    for portion in _portions(random, emissions):
        if random.random() < 0.5:  # what is kept then is folded; what is not is read later
            _ask_something(random, fleet)
        store.land(portion)
        if random.random() < 0.7:
            fleet.refresh()
    fleet.refresh()
    assert not differences(answers(fleet, AS_OF), expected(store.past, AS_OF, NOW))


def _portions(random: Random, emissions: list[Emission]) -> list[list[Emission]]:
    cuts = sorted(random.randint(0, len(emissions)) for _ in range(random.randint(0, 5)))
    ends = zip([0, *cuts], [*cuts, len(emissions)], strict=True)
    return [emissions[first:last] for first, last in ends]


def _ask_something(random: Random, fleet: Fleet) -> None:
    match random.randint(0, 3):
        case 0:
            answers(fleet, ())
        case 1:
            fleet.segments()
        case 2:
            fleet.run_counts()
        case 3:
            found = drift(fleet)
            if found:
                one = random.choice(found)
                row = acknowledged_row(
                    fleet, one.to_run, one.context_label, by="ana", note="", pipeline=one.pipeline
                )
                fleet.acknowledge(row)


def test_a_fleet_without_runs_has_empty_answers() -> None:
    found = answers(Fleet(GrowingStore(), now=NOW), AS_OF)
    assert not any(answer for name, answer in found.items() if name != "carried risks")
    assert not any(found["carried risks"].values())


def test_what_could_not_be_folded_in_is_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    store = GrowingStore()
    fleet = Fleet(store, now=NOW)
    emissions = Invention(Random(1), 2).emissions(20)  # noqa: S311 - the same fleet each time
    store.land(emissions[:10])
    fleet.refresh()
    answers(fleet, AS_OF)
    store.land(emissions[10:])
    with monkeypatch.context() as broken:
        broken.setattr(store, "rows_of", None)
        with pytest.raises(TypeError):
            fleet.refresh()
    fleet.refresh()
    assert not differences(answers(fleet, AS_OF), expected(store.past, AS_OF, NOW))
