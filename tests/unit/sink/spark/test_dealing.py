"""How a batch is dealt out: no portion is too heavy, no key is torn apart without need."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformare_sink.messages.message import LONGEST_KEY
from conformare_sink.spark.dealing import (
    BUCKETS,
    SPREADS,
    Ranges,
    bucket,
    count,
    deal,
    halves,
)

MOST = 100
MESSAGES = st.lists(
    st.tuples(st.integers(0, BUCKETS - 1), st.integers(0, SPREADS - 1), st.integers(1, MOST)),
    min_size=1,
    max_size=200,
    unique_by=lambda message: message[1],
)
FEW_KEYS = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, SPREADS - 1), st.integers(1, MOST)),
    min_size=1,
    max_size=200,
    unique_by=lambda message: message[1],
)
RANGES = st.dictionaries(
    st.tuples(st.sampled_from(["runs", "risks"]), st.integers(0, 9)),
    st.tuples(st.integers(0, 50), st.integers(0, 50)).map(lambda r: (r[0], r[0] + r[1])),
)


@given(MESSAGES | FEW_KEYS)
def test_no_portion_weighs_more_than_it_may(messages: list[tuple[int, int, int]]) -> None:
    """Whatever the messages weigh and however many have one key; each portion has some."""
    buckets, spreads, weights = np.array(messages, np.int64).T
    dealt = deal(buckets, spreads, weights, MOST)
    portions = dealt.portion_of(buckets, spreads)
    filled = np.bincount(portions, weights, dealt.portions)
    assert len(filled) == dealt.portions
    assert filled.max() <= MOST


@given(MESSAGES | FEW_KEYS)
def test_a_key_is_in_one_portion_where_a_portion_holds_it(
    messages: list[tuple[int, int, int]],
) -> None:
    """Then the run lands whole, and need not wait for another portion."""
    buckets, spreads, weights = np.array(messages, np.int64).T
    portions = deal(buckets, spreads, weights, MOST).portion_of(buckets, spreads)
    for one in set(buckets):
        if weights[buckets == one].sum() <= MOST:
            assert len(set(portions[buckets == one])) == 1


def test_what_fits_is_one_portion() -> None:
    """With nothing left out."""
    buckets, spreads, weights = np.array([(0, 0, 50), (4095, 255, 50)], np.int64).T
    assert deal(buckets, spreads, weights, MOST).portions == 1


@pytest.mark.parametrize("key", [None, b"k" * (LONGEST_KEY + 1)])
def test_no_key_and_a_very_long_one_share_a_bucket(key: bytes | None) -> None:
    """The long one is not known where its message is too heavy to be read at first."""
    assert bucket(key) == 0


@given(RANGES)
def test_halves_are_the_whole(ranges: Ranges) -> None:
    """Each offset in one of them, and half of them in each: so they get smaller at every step."""
    parts = halves(ranges)
    assert all(first < until for part in parts for first, until in part.values())
    assert sorted(offset for part in parts for offset in offsets(part)) == sorted(offsets(ranges))
    first, second = map(count, parts)
    assert first == count(ranges) // 2
    assert first + second == count(ranges)


def offsets(ranges: Ranges) -> list[tuple[str, int, int]]:
    """Every place in some ranges."""
    return [(*place, o) for place, (first, until) in ranges.items() for o in range(first, until)]
