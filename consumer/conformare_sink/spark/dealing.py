"""How the messages of a batch are dealt out when their weights are known; pure, without Spark."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from conformare_sink.messages.message import LONGEST_KEY

Ints = npt.NDArray[np.int64]

Ranges = Mapping[tuple[str, int], tuple[int, int]]
"""(topic, partition) → its first offset, and the one behind its last."""

BUCKETS = 4096
"""How many there are, by a message's key."""
SPREADS = 256
"""How many there are, by a message's offset, for what is too heavy in a bucket."""


@dataclass(frozen=True)
class Deal:
    """Which portion each message is for."""

    portions: int
    """How many there are."""
    of_bucket: Ints
    """The portion of each bucket; -1 for one that is dealt by offset."""
    of_spread: Ints
    """The portion of each spread, for messages of those."""

    def portion_of(self, buckets: Ints, spreads: Ints) -> Ints:
        """Return the portion of each message.

        Args:
            buckets: Its bucket.
            spreads: Its spread.
        """
        portions = self.of_bucket[buckets]
        return np.where(portions < 0, self.of_spread[spreads], portions)


def bucket(key: bytes | None) -> int:
    """Return the bucket of a key; of none, and of one that is too long to be known, the first."""
    return 0 if key is None or len(key) > LONGEST_KEY else zlib.crc32(key) % BUCKETS


def deal(buckets: Ints, spreads: Ints, weights: Ints, most: int) -> Deal:
    """Deal messages out so that no portion weighs more than it may.

    All messages of a key come into one portion, unless its bucket is heavier than a portion:
    anybody can send many messages under one key, or under none.

    Args:
        buckets: The bucket of each message.
        spreads: Its spread.
        weights: What it weighs, in bytes.
        most: What a portion may weigh.
    """
    of_buckets = np.bincount(buckets, weights, BUCKETS)
    too_heavy = of_buckets > most
    is_spread = too_heavy[buckets]
    of_spreads = np.bincount(spreads[is_spread], weights[is_spread], SPREADS)
    portions = _filled([*np.where(too_heavy, 0, of_buckets), *of_spreads], most)
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
    """Return ranges in two parts that can have the same number of messages, give or take one.

    Each partition is halved: what was sent at one time mostly stays together.
    """
    first: dict[tuple[str, int], tuple[int, int]] = {}
    second: dict[tuple[str, int], tuple[int, int]] = {}
    left_over = 0
    for place, (begin, until) in ranges.items():
        size, left_over = divmod(until - begin + left_over, 2)
        middle = begin + size
        if begin < middle:
            first[place] = (begin, middle)
        if middle < until:
            second[place] = (middle, until)
    return first, second
