"""Many Avro payloads of one schema, read side by side: each step is one of numpy for all of them.

Nothing is judged here. A payload in which something is not as our producers write it is `odd`, and is
read again by the general decoder: numbers of more than nine bytes, arrays in several blocks or of very
many items, whatever runs past its end.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

MOST_ITEMS = 64
"""Items of an array; each is a step of its own, however few payloads have so many."""

_PADDING = bytes(16)
"""Behind the last payload: a number is read before it is known that it has run past the end."""

_MORE = 0x80
"""Bit of a byte after which the number goes on."""

_LONG = 256
"""Bytes of a text from which on it is faster to copy it by itself."""

_AT_ONCE = 2**18
"""Bytes of shorter texts that are copied together."""

_LONGEST_NUMBER = 9
"""Bytes; with a tenth, a number may not fit 64 bits."""


class Payloads:
    """Payloads with a cursor in each; `who` are numbers of those that a step is for, each once.

    Args:
        values: The payloads.
        skip: Bytes before the payload in each of them.
    """

    def __init__(self, values: Sequence[bytes], skip: int) -> None:
        self._raw = b"".join([*values, _PADDING])
        self._bytes = np.frombuffer(self._raw, np.uint8)
        sizes = np.fromiter(map(len, values), np.int64, len(values))
        self._end = np.cumsum(sizes)
        self._at = np.minimum(self._end - sizes + skip, self._end)
        self._is_odd = np.zeros(len(values), np.bool_)

    def odd(self) -> Bools:
        """Return of each payload whether anything odd was read."""
        return self._is_odd

    def finish(self) -> Bools:
        """Return of each payload whether it is odd, now that all has been read."""
        odd: Bools = self._is_odd | (self._at != self._end)
        return odd

    def among(self, wanted: Bools) -> Ints:
        """Return the numbers of the payloads that are wanted, those left out that are odd."""
        return np.flatnonzero(wanted & ~self._is_odd)

    def mark(self, who: Ints, odd: Bools) -> None:
        """Mark payloads as odd where the second array says so."""
        self._is_odd[who[odd]] = True

    def longs(self, who: Ints) -> Ints:
        """Read an int or a long of each."""
        at = self._at[who]
        raw = self._bytes[at].astype(np.uint64)
        sizes = np.ones(len(who), np.int64)
        longer = np.flatnonzero(raw >= _MORE)
        raw &= np.uint64(0x7F)
        for size in range(1, _LONGEST_NUMBER):
            if not len(longer):
                break
            more = self._bytes[at[longer] + size].astype(np.uint64)
            raw[longer] |= (more & np.uint64(0x7F)) << np.uint64(7 * size)
            sizes[longer] += 1
            longer = longer[more >= _MORE]
        self._is_odd[who[longer]] = True
        self._move(who, at, sizes)
        # Zigzag: the sign is the lowest bit.
        signs = -(raw & np.uint64(1)).astype(np.int64)
        numbers: Ints = (raw >> np.uint64(1)).astype(np.int64) ^ signs
        return numbers

    def booleans(self, who: Ints) -> Bools:
        """Read a boolean of each."""
        at = self._at[who]
        raw = self._bytes[at]
        self.mark(who, raw > 1)
        self._move(who, at, np.ones(len(who), np.int64))
        truths: Bools = raw == 1
        return truths

    def spans(self, who: Ints) -> tuple[Ints, Ints]:
        """Pass over a text of each; return where they begin and how many bytes they have."""
        lengths = self.longs(who)
        at = self._at[who]
        return at, self._move(who, at, lengths)

    def counts(self, who: Ints) -> Ints:
        """Begin an array or a map of each; return how many items it has."""
        counts = self.longs(who)
        odd = (counts < 0) | (counts > MOST_ITEMS)
        self.mark(who, odd)
        counts[odd] = 0
        return counts

    def end_items(self, who: Ints) -> None:
        """End the arrays or maps that had any items."""
        self.mark(who, self.longs(who) != 0)

    def content(self, starts: Ints, lengths: Ints) -> tuple[npt.NDArray[np.int32], bytes]:
        """Return texts as Arrow holds them: where each begins, and at last ends; all their bytes."""
        offsets = np.zeros(len(lengths) + 1, np.int32)
        np.cumsum(lengths, out=offsets[1:])
        if offsets[-1] > _LONG * len(lengths):
            ends = starts + lengths
            spans = zip(starts.tolist(), ends.tolist(), strict=True)
            return offsets, b"".join([self._raw[start:end] for start, end in spans])
        texts = np.empty(offsets[-1], np.uint8)
        # A place for each byte takes many times the memory of the bytes: so not for all at once.
        cuts = np.searchsorted(offsets, np.arange(0, offsets[-1], _AT_ONCE)).tolist()
        for first, last in pairwise([*cuts, len(lengths)]):
            begin, end = offsets[first], offsets[last]
            places = np.repeat(starts[first:last] - offsets[first:last], lengths[first:last])
            places += np.arange(begin, end)
            np.take(self._bytes, places, out=texts[begin:end])
        return offsets, texts.tobytes()

    def _move(self, who: Ints, at: Ints, by: Ints) -> Ints:
        """Move cursors on, those that have no room not at all; return by how much."""
        no_room = (by < 0) | (by > self._end[who] - at)
        if no_room.any():
            self.mark(who, no_room)
            by = np.where(no_room, 0, by)
        self._at[who] = at + by
        return by
