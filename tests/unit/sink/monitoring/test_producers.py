"""Gaps in the sequences of producers: the same as a set of all numbers would tell, in less memory."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from conformare_sink.monitoring.producers import ProducerSequences

Pairs = list[tuple[str, int]]

pairs = st.tuples(st.sampled_from("abc"), st.integers(min_value=-1, max_value=40))
batches = st.lists(st.lists(pairs, max_size=12), max_size=12)


def sets(sequences: Iterable[tuple[str, int]]) -> list[set[int]]:
    """Keep every number of each producer."""
    seen: dict[str, set[int]] = defaultdict(set)
    for producer, sequence in sequences:
        if sequence >= 1:
            seen[producer].add(sequence)
    return list(seen.values())


def naive_gaps(sequences: Iterable[tuple[str, int]]) -> int:
    """Count the numbers that are not in the sets."""
    return sum(max(seen) - min(seen) + 1 - len(seen) for seen in sets(sequences))


def naive_intervals(sequences: Iterable[tuple[str, int]]) -> int:
    """Count the numbers that have no neighbour below."""
    return sum(number - 1 not in seen for seen in sets(sequences) for number in seen)


@given(batches=batches)
def test_gaps_are_those_of_a_set(batches: list[Pairs]) -> None:
    """After every batch, however numbers arrive; neighbours become one interval."""
    sequences = ProducerSequences()
    so_far: Pairs = []
    for batch in batches:
        sequences.observe(batch)
        so_far += batch
        assert sequences.gaps == naive_gaps(so_far)
        assert sequences._n_intervals == naive_intervals(so_far)


def test_a_late_arrival_fills_its_gap() -> None:
    """A repeated one is nothing."""
    sequences = ProducerSequences()
    sequences.observe([("p", 1), ("p", 2), ("p", 5)])
    assert sequences.gaps == 2
    sequences.observe([("p", 3), ("p", 3), ("p", 5)])
    assert sequences.gaps == 1
    sequences.observe([("p", 4)])
    assert sequences.gaps == 0


def test_counting_begins_with_what_is_seen_first() -> None:
    """A sink that starts late misses nothing; a lower number extends what is known."""
    sequences = ProducerSequences()
    sequences.observe([("p", 500)])
    assert sequences.gaps == 0
    sequences.observe([("p", 498)])
    assert sequences.gaps == 1
    sequences.observe([("p", 499)])
    assert sequences.gaps == 0


def test_the_producer_seen_least_recently_is_forgotten() -> None:
    """Its gaps are counted no more, and when it comes again it is new."""
    sequences = ProducerSequences(most_intervals=4)
    sequences.observe([("old", 1), ("old", 3)])
    sequences.observe([("kept", 1), ("kept", 4)])
    sequences.observe([("old", 3)])
    assert sequences.gaps == 3
    sequences.observe([("new", 1)])  # "old" was seen since: it is "kept" that goes
    assert sequences.gaps == 1
    sequences.observe([("kept", 9)])
    assert sequences.gaps == 1


def test_the_lowest_gaps_of_a_producer_with_too_many_stay_open_for_ever() -> None:
    """They are counted; the highest ones can still be filled."""
    sequences = ProducerSequences(most_of_one=2)
    sequences.observe([("p", 1), ("p", 3), ("p", 5), ("p", 7)])
    assert sequences.gaps == 3
    sequences.observe([("p", 2), ("p", 4)])
    assert sequences.gaps == 3
    sequences.observe([("p", 6)])
    assert sequences.gaps == 2


def test_a_name_that_no_job_of_ours_has_is_ignored() -> None:
    """Whoever can write to a topic could fill the memory with it."""
    sequences = ProducerSequences()
    sequences.observe([("p" * 101, 1), ("p" * 101, 9), ("p" * 100, 1), ("p" * 100, 3)])
    assert sequences.gaps == 1


@given(batches=batches)
def test_memory_is_bounded(batches: list[Pairs]) -> None:
    """By intervals, whatever arrives; of one producer no gap is overlooked for it."""
    bounded, of_one = ProducerSequences(5, 3), ProducerSequences(most_of_one=2)
    so_far: Pairs = []
    for batch in batches:
        bounded.observe(batch)
        of_one.observe(batch)
        so_far += batch
        lengths = [len(seen) for seen in bounded._producers.values()]
        assert sum(lengths) == bounded._n_intervals <= 5
        assert max(lengths, default=0) <= 3
        assert bounded.gaps == sum(seen.gaps for seen in bounded._producers.values())
        assert of_one.gaps >= naive_gaps(so_far)
