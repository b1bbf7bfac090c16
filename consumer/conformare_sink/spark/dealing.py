"""How the messages of a batch are dealt out when their weights are known; pure, without Spark."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]

Ranges = Mapping[tuple[str, int], tuple[int, int]]
"""(topic, partition) → its first offset, and the one behind its last."""

BUCKETS = 4096
"""How many there are by the hash of a message's key."""
SPREADS = 256
"""How many there are by the hash of a message's place, for what is too heavy in a bucket."""


@dataclass(frozen=True)
class Deal:
    """Which portion each message is for."""

    portions: int
    """How many there are."""
    of_bucket: Ints
    """The portion of each bucket of keys; -1 for one that is dealt by place."""
    of_spread: Ints
    """The portion of each bucket of places, for messages of those."""

    def portion_of(self, buckets: Ints, spreads: Ints) -> Ints:
        """Return the portion of each message.

        Args:
            buckets: The bucket of its key.
            spreads: The bucket of its place.
        """
        by_key = self.of_bucket[buckets]
        return np.where(by_key < 0, self.of_spread[spreads], by_key)


def deal(buckets: Ints, spreads: Ints, weights: Ints, most: int) -> Deal:
    """Deal messages out so that no portion weighs more than it may.

    All messages of a key come into one portion, unless its bucket is heavier than a portion:
    anybody can send many messages under one key, or under none.

    Args:
        buckets: The bucket of each message's key.
        spreads: The bucket of its place.
        weights: What it weighs, in bytes.
        most: What a portion may weigh.
    """
    of_keys = np.bincount(buckets, weights, BUCKETS)
    too_heavy = of_keys > most
    by_place = too_heavy[buckets]
    of_places = np.bincount(spreads[by_place], weights[by_place], SPREADS)
    portions = _filled([*np.where(too_heavy, 0, of_keys), *of_places], most)
    of_bucket, of_spread = portions[:BUCKETS], portions[BUCKETS:]
    return Deal(int(portions[-1]) + 1, np.where(too_heavy, -1, of_bucket), of_spread)


def _filled(weights: list[float], most: int) -> Ints:
    """Return the portion of each weight: one after the other is filled, in their order."""
    portions = np.zeros(len(weights), np.int64)
    portion, filled = 0, 0.0
    for index, weight in enumerate(weights):
        if filled and filled + weight > most:
            portion, filled = portion + 1, 0.0
        filled += weight
        portions[index] = portion
    return portions


def count(ranges: Ranges) -> int:
    """Return how many messages ranges can have; there are fewer where a topic was compacted."""
    return sum(until - first for first, until in ranges.values())


def halves(ranges: Ranges) -> tuple[Ranges, Ranges]:
    """Return ranges in two parts that can have the same number of messages, or nearly so."""
    left = count(ranges) // 2
    first: dict[tuple[str, int], tuple[int, int]] = {}
    second: dict[tuple[str, int], tuple[int, int]] = {}
    for place, (begin, end) in ranges.items():
        middle = min(end, begin + left)
        left -= middle - begin
        if begin < middle:
            first[place] = (begin, middle)
        if middle < end:
            second[place] = (middle, end)
    return first, second
