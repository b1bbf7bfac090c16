"""Which sequence numbers of which producers have arrived, and how many are missing in between.

A producer is one process of a job and one store; it numbers its emissions 1, 2, 3 … A number that
is missing is a run that waits in a spool, was rejected there, or is lost. What a producer sent
before this sink looked is not known, so its first number here is where counting begins.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import OrderedDict

from conformare_sink.messages.headers import Sequences

MOST_INTERVALS = 100_000
"""Over all producers; one without gaps has one."""
MOST_INTERVALS_OF_ONE = 1_000
LARGEST_GAP = 1_000_000
"""No process of ours loses so many runs between two that arrive; whoever may write to a topic can
send any number."""


class ProducerSequences:
    """Remembers the sequence numbers seen of each producer, as disjoint intervals.

    Memory is bounded. Where there are too many intervals, the producers without gaps that were seen
    least recently are forgotten, and only where there are no others those with gaps. One that comes
    again is new.
    Where one producer has too many, its lowest gaps are closed to late arrivals: they stay counted.

    Args:
        most_intervals: Most intervals over all producers.
        most_of_one: Most intervals of one producer; at most as many.
    """

    def __init__(
        self, most_intervals: int = MOST_INTERVALS, most_of_one: int = MOST_INTERVALS_OF_ONE
    ) -> None:
        self._most_intervals = most_intervals
        self._most_of_one = most_of_one
        # Each in the order in which they were last seen.
        self._whole: OrderedDict[str, _Intervals] = OrderedDict()
        self._with_gaps: OrderedDict[str, _Intervals] = OrderedDict()
        self._n_intervals = 0
        self._gaps = 0

    @property
    def gaps(self) -> int:
        """How many numbers are missing between those seen of each producer.

        Between two neighbours that are further apart than `LARGEST_GAP` none is.
        """
        return self._gaps

    def observe(self, sequences: Sequences) -> None:
        """Take note of what arrived.

        Args:
            sequences: Producer → numbers.
        """
        for producer, numbers in sequences.items():
            seen = self._take(producer)
            # In their order, so that what is seen at once makes no intervals for a moment.
            for number in map(int, numbers):
                seen.add(number)
            seen.shrink(self._most_of_one)
            self._put(producer, seen)
        while self._n_intervals > self._most_intervals:
            self._take(next(iter(self._whole or self._with_gaps)))

    def _take(self, producer: str) -> _Intervals:
        seen = self._whole.pop(producer, None) or self._with_gaps.pop(producer, None)
        if seen is None:
            return _Intervals()
        self._n_intervals -= len(seen)
        self._gaps -= seen.gaps
        return seen

    def _put(self, producer: str, seen: _Intervals) -> None:
        (self._with_gaps if seen.gaps else self._whole)[producer] = seen
        self._n_intervals += len(seen)
        self._gaps += seen.gaps


class _Intervals:
    """A set of numbers as ascending intervals that neither overlap nor touch."""

    __slots__ = ("_closed", "_firsts", "_lasts")

    def __init__(self) -> None:
        self._firsts: list[int] = []
        self._lasts: list[int] = []
        self._closed = 0

    def __len__(self) -> int:
        return len(self._firsts)

    @property
    def gaps(self) -> int:
        """How many numbers between the intervals were not seen, and before they were closed."""
        return self._closed + self._between(len(self))

    def add(self, number: int) -> None:
        """Add a number; one that is there already changes nothing."""
        after = bisect_right(self._firsts, number)
        if after and number <= self._lasts[after - 1]:
            return
        joins_before = after > 0 and self._lasts[after - 1] == number - 1
        joins_after = after < len(self) and self._firsts[after] == number + 1
        if joins_before and joins_after:
            self._close(after)
        elif joins_before:
            self._lasts[after - 1] = number
        elif joins_after:
            self._firsts[after] = number
        else:
            self._firsts.insert(after, number)
            self._lasts.insert(after, number)

    def shrink(self, most: int) -> None:
        """Close the lowest gaps until there are at most so many intervals."""
        excess = len(self) - most
        if excess > 0:
            self._closed += self._between(excess + 1)
            del self._firsts[1 : excess + 1]
            del self._lasts[:excess]

    def _between(self, n_lowest: int) -> int:
        """Return how many numbers are missing between the lowest intervals."""
        gaps = (
            after - before - 1
            for before, after in zip(
                self._lasts[: n_lowest - 1], self._firsts[1:n_lowest], strict=True
            )
        )
        return sum(gap for gap in gaps if gap <= LARGEST_GAP)

    def _close(self, index: int) -> None:
        """Make one interval of that at an index and the one before it."""
        del self._firsts[index]
        del self._lasts[index - 1]
