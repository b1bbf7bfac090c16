"""Gaps in the sequences of producers: the same as a set of all numbers would tell, in less memory."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformare_sink.messages.headers import LARGEST_SEQUENCE, by_producer
from conformare_sink.monitoring import producers
from conformare_sink.monitoring.producers import LARGEST_GAP, ProducerSequences

Pairs = list[tuple[str, int]]

NEAR = 20
"""Stands for the largest gap in tests that draw numbers, so that they draw some on either side."""

pairs = st.tuples(st.sampled_from("abc"), st.integers(min_value=1, max_value=90))
batches = st.lists(st.lists(pairs, max_size=12), max_size=12)


@pytest.fixture(scope="module", autouse=True)
def _small_gaps() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(producers, "LARGEST_GAP", NEAR)
        yield


def sets(sequences: Iterable[tuple[str, int]]) -> list[set[int]]:
    """Keep every number of each producer."""
    seen: dict[str, set[int]] = defaultdict(set)
    for producer, sequence in sequences:
        seen[producer].add(sequence)
    return list(seen.values())


def naive_gaps(sequences: Iterable[tuple[str, int]]) -> int:
    """Count the numbers that are not in the sets, but for those between two that are far apart."""
    missing = [b - a - 1 for seen in sets(sequences) for a, b in pairwise(sorted(seen))]
    return sum(gap for gap in missing if gap <= producers.LARGEST_GAP)


def naive_intervals(sequences: Iterable[tuple[str, int]]) -> int:
    """Count the numbers that have no neighbour below."""
    return sum(number - 1 not in seen for seen in sets(sequences) for number in seen)


@given(batches=batches)
def test_gaps_are_those_of_a_set(batches: list[Pairs]) -> None:
    """After every batch, however numbers arrive; neighbours become one interval."""
    sequences = ProducerSequences()
    so_far: Pairs = []
    for batch in batches:
        sequences.observe(by_producer(batch))
        so_far += batch
        assert sequences.gaps == naive_gaps(so_far)
        assert sequences._n_intervals == naive_intervals(so_far)


def test_a_late_arrival_fills_its_gap() -> None:
    """A repeated one is nothing."""
    sequences = ProducerSequences()
    sequences.observe(by_producer([("p", 1), ("p", 2), ("p", 5)]))
    assert sequences.gaps == 2
    sequences.observe(by_producer([("p", 3), ("p", 3), ("p", 5)]))
    assert sequences.gaps == 1
    sequences.observe(by_producer([("p", 4)]))
    assert sequences.gaps == 0


def test_counting_begins_with_what_is_seen_first() -> None:
    """A sink that starts late misses nothing; a lower number extends what is known."""
    sequences = ProducerSequences()
    sequences.observe(by_producer([("p", 500)]))
    assert sequences.gaps == 0
    sequences.observe(by_producer([("p", 498)]))
    assert sequences.gaps == 1
    sequences.observe(by_producer([("p", 499)]))
    assert sequences.gaps == 0


def test_the_producer_seen_least_recently_is_forgotten() -> None:
    """When it comes again it is new."""
    sequences = ProducerSequences(most_intervals=2)
    sequences.observe(by_producer([("old", 1)]))
    sequences.observe(by_producer([("kept", 1)]))
    sequences.observe(by_producer([("old", 2)]))
    sequences.observe(by_producer([("new", 1)]))  # "old" was seen since: it is "kept" that goes
    sequences.observe(by_producer([("kept", 9)]))
    assert sequences.gaps == 0
    sequences.observe(by_producer([("kept", 11)]))
    assert sequences.gaps == 1


def test_no_crowd_of_producers_hides_a_gap() -> None:
    """Those that miss nothing are forgotten first, however recently they were seen."""
    sequences = ProducerSequences(most_intervals=4)
    sequences.observe(by_producer([("p", 1), ("p", 3)]))
    for n in range(100):
        sequences.observe(by_producer([(f"other-{n}", 1)]))
    assert sequences.gaps == 1
    sequences.observe(by_producer([("p", 2)]))
    assert sequences.gaps == 0


def test_where_all_have_gaps_the_oldest_of_them_goes() -> None:
    """There are many then that are counted."""
    sequences = ProducerSequences(most_intervals=4)
    sequences.observe(by_producer([("p", 1), ("p", 4)]))
    sequences.observe(by_producer([("q", 1), ("q", 5)]))
    sequences.observe(by_producer([("r", 1), ("r", 3)]))
    assert sequences.gaps == 4


def test_the_lowest_gaps_of_a_producer_with_too_many_stay_open_for_ever() -> None:
    """They are counted; the highest ones can still be filled."""
    sequences = ProducerSequences(most_of_one=2)
    sequences.observe(by_producer([("p", 1), ("p", 3), ("p", 5), ("p", 7)]))
    assert sequences.gaps == 3
    sequences.observe(by_producer([("p", 2), ("p", 4)]))
    assert sequences.gaps == 3
    sequences.observe(by_producer([("p", 6)]))
    assert sequences.gaps == 2


def test_no_number_makes_a_gap_of_billions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever may write to a topic can send any; what comes near either of two far ones counts."""
    monkeypatch.setattr(producers, "LARGEST_GAP", LARGEST_GAP)
    sequences = ProducerSequences()
    sequences.observe(by_producer([("p", 1), ("p", LARGEST_SEQUENCE)]))
    assert sequences.gaps == 0
    sequences.observe(by_producer([("p", 3), ("p", LARGEST_SEQUENCE - 3)]))
    assert sequences.gaps == 3
    sequences.observe(by_producer([("p", 3 + LARGEST_GAP + 1)]))
    assert sequences.gaps == 3 + LARGEST_GAP
    sequences.observe(by_producer([("p", 3 + LARGEST_GAP + 1 + LARGEST_GAP + 2)]))
    assert sequences.gaps == 3 + LARGEST_GAP


def test_a_number_between_two_far_ones_makes_both_sides_count() -> None:
    """It does not matter in which order they came."""
    for numbers in ((1, 31, 16), (1, 16, 31), (31, 1, 16)):
        sequences = ProducerSequences()
        for number in numbers:
            sequences.observe(by_producer([("p", number)]))
        assert sequences.gaps == 28


@given(batches=batches)
def test_memory_is_bounded(batches: list[Pairs]) -> None:
    """By intervals, whatever arrives."""
    bounded = ProducerSequences(5, 3)
    for batch in batches:
        bounded.observe(by_producer(batch))
        kept = [*bounded._whole.values(), *bounded._with_gaps.values()]
        lengths = [len(seen) for seen in kept]
        assert sum(lengths) == bounded._n_intervals <= 5
        assert max(lengths, default=0) <= 3
        assert bounded.gaps == sum(seen.gaps for seen in kept)


@given(batches=batches)
def test_no_gap_of_a_producer_with_too_many_is_overlooked(batches: list[Pairs]) -> None:
    """Those that are closed to late arrivals stay counted."""
    sequences = ProducerSequences(most_of_one=2)
    so_far: Pairs = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(producers, "LARGEST_GAP", LARGEST_GAP)
        for batch in batches:
            sequences.observe(by_producer(batch))
            so_far += batch
            assert sequences.gaps >= naive_gaps(so_far)
