"""Which emission lands: properties of a decision, without Spark."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from conformare_schemas import CHILD_GRAINS
from conformare_sink.messages.emission import Decision, Emission, EmissionKey, Piece, RunKey, decide


def emission(
    pieces: set[Piece],
    row_counts: Mapping[str, int] | None,
    *,
    run_id: str = "run",
    emission_id: str = "e",
    last: int = 0,
) -> Emission:
    """An emission of one pipeline."""
    key = EmissionKey("p", run_id, emission_id)
    return Emission(key, frozenset(pieces), row_counts, (last,))


RUNS = Piece("runs", 0, 1)

splits = st.lists(st.integers(min_value=1, max_value=5), min_size=1, max_size=6)


@given(sizes=splits, data=st.data())
def test_an_emission_is_complete_only_when_every_piece_is_there(
    sizes: list[int], data: st.DataObject
) -> None:
    """However a grain was split, and whichever piece is missing."""
    firsts = [sum(sizes[:i]) for i in range(len(sizes))]
    pieces = {Piece("risks", first, size) for first, size in zip(firsts, sizes, strict=True)}
    counts = {"runs": 1, "risks": sum(sizes)}
    assert emission({*pieces, RUNS}, counts).missing() == {}
    missing = data.draw(st.sampled_from(sorted(pieces)))
    assert emission({*pieces, RUNS} - {missing}, counts).missing()
    assert emission(pieces, None).missing() == {"runs": 1}


def test_what_contradicts_runs_is_never_complete() -> None:
    """Overlapping pieces, too many rows, or a grain that is not counted."""
    counts = {"runs": 1, "risks": 4}
    assert emission({RUNS, Piece("risks", 0, 4), Piece("risks", 2, 2)}, counts).missing()
    assert emission({RUNS, Piece("risks", 0, 3), Piece("risks", 2, 1)}, counts).missing()
    assert emission({RUNS, Piece("risks", 0, 5)}, counts).missing()
    assert emission({RUNS, Piece("risks", 0, 4), Piece("sinks", 0, 1)}, counts).missing()
    assert emission({RUNS, Piece("risks", 1, 4)}, counts).missing()


def test_what_is_missing_is_named() -> None:
    """For the one who asks what an emission waits for."""
    counts = {"runs": 1, "risks": 4, "sinks": 2}
    waiting = emission({RUNS, Piece("risks", 0, 1)}, counts)
    assert waiting.missing() == {"risks": 3, "sinks": 2}


some_emissions = st.lists(
    st.builds(
        lambda run, number, last, complete: emission(
            {RUNS} if complete else {Piece(CHILD_GRAINS[0], 0, 1)},
            {"runs": 1} if complete else None,
            run_id=run,
            emission_id=number,
            last=last,
        ),
        st.sampled_from("abc"),
        st.uuids().map(str),
        st.integers(min_value=0, max_value=3),
        st.booleans(),
    ),
    max_size=12,
    unique_by=lambda e: e.key,
)


@given(emissions=some_emissions, known=st.sets(st.sampled_from("abc")))
def test_at_most_one_emission_of_a_run_lands(emissions: list[Emission], known: set[str]) -> None:
    """None of a known run; the first complete one of any other; nothing is forgotten."""
    decided = decide(emissions, {RunKey("p", run) for run in known})
    assert Counter(e.key for those in decided.values() for e in those) == Counter(
        e.key for e in emissions
    )
    landing = {e.key.run_id: e for e in decided[Decision.LAND]}
    assert len(landing) == len(decided[Decision.LAND])
    complete = {e.key.run_id for e in emissions if not e.missing()}
    assert set(landing) == complete - known
    for run_id, landed in landing.items():
        rivals = [e for e in emissions if e.key.run_id == run_id and not e.missing()]
        assert landed.last_arrival == min(e.last_arrival for e in rivals)
    assert {e.key.run_id for e in decided[Decision.WAIT]}.isdisjoint(known | complete)


@given(emissions=some_emissions, data=st.data())
def test_the_decision_does_not_depend_on_the_order(
    emissions: list[Emission], data: st.DataObject
) -> None:
    """A batch that is executed again may come in another one."""
    shuffled = data.draw(st.permutations(emissions))
    first, second = decide(emissions, set()), decide(shuffled, set())
    assert {d: {e.key for e in those} for d, those in first.items()} == {
        d: {e.key for e in those} for d, those in second.items()
    }


def test_the_same_run_id_in_two_pipelines_is_two_runs() -> None:
    """One job may record several pipelines under its own run id."""
    here = Emission(EmissionKey("p", "r", "1"), frozenset({RUNS}), {"runs": 1}, (1,))
    there = Emission(EmissionKey("q", "r", "2"), frozenset({RUNS}), {"runs": 1}, (2,))
    assert len(decide([here, there], {RunKey("p", "r")})[Decision.LAND]) == 1
    assert len(decide([here, there], set())[Decision.LAND]) == 2
