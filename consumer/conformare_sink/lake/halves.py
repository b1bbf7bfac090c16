"""Digests of 128 bits as numpy has them: two halves of 64 bits, in the order of the first."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

DIGEST_BYTES = 16

DigestArray: TypeAlias = npt.NDArray[np.uint8]
"""Digests one after the other: an array of n by 16 bytes."""
Mask: TypeAlias = npt.NDArray[np.bool_]
Positions: TypeAlias = npt.NDArray[np.int64]


class Halves(NamedTuple):
    """The halves of some digests."""

    first: npt.NDArray[np.uint64]
    second: npt.NDArray[np.uint64]

    def chosen(self, which: Mask | Positions | slice) -> Halves:
        """Return some of them."""
        return Halves(self.first[which], self.second[which])


NONE = Halves(np.empty(0, np.uint64), np.empty(0, np.uint64))


def array_of(digests: Collection[bytes]) -> DigestArray:
    """Return digests as an array."""
    return np.frombuffer(b"".join(digests), np.uint8).reshape(-1, DIGEST_BYTES)


def array_of_column(digests: pa.ChunkedArray) -> DigestArray:
    """Return digests that were computed where a table was read."""
    arrays = [np.empty((0, DIGEST_BYTES), np.uint8)]
    for chunk in digests.chunks:
        fixed = chunk.cast(pa.binary(DIGEST_BYTES))
        if len(fixed):
            n_bytes, start = len(fixed) * DIGEST_BYTES, fixed.offset * DIGEST_BYTES
            content = np.frombuffer(fixed.buffers()[1], np.uint8, n_bytes, start)
            arrays.append(content.reshape(-1, DIGEST_BYTES))
    return np.concatenate(arrays)


def halves_of(digests: DigestArray) -> Halves:
    """Return the halves of digests, as they come."""
    words = np.ascontiguousarray(digests).view(">u8").astype(np.uint64)
    return Halves(np.ascontiguousarray(words[:, 0]), np.ascontiguousarray(words[:, 1]))


def in_order(digests: Halves) -> Halves:
    """Return digests in the order of their first halves."""
    return digests.chosen(np.argsort(digests.first))


def joined(parts: Iterable[Halves]) -> Halves:
    """Return the digests of several parts, each of which is in order, as one."""
    first, second = zip(NONE, *parts, strict=True)
    both = Halves(np.concatenate(first), np.concatenate(second))
    # Stable is fast where most is in order already.
    return both.chosen(np.argsort(both.first, kind="stable"))


def distinct(digests: Halves) -> Halves:
    """Return digests that are in order without those that come again."""
    if len(digests.first) < 2:  # noqa: PLR2004 - one alone does not come again
        return digests
    ties = digests.first[1:] == digests.first[:-1]
    if not ties.any():
        return digests
    order = np.lexsort((digests.second, digests.first))
    both = digests.chosen(order)
    again = (both.first[1:] == both.first[:-1]) & (both.second[1:] == both.second[:-1])
    return both.chosen(np.concatenate([[True], ~again]))


def found_in(there: Halves, asked: Halves) -> Mask:
    """Return of each digest whether it is among others, which are in order."""
    at = np.searchsorted(there.first, asked.first)
    found = np.zeros(len(asked.first), np.bool_)
    left = np.flatnonzero(at < len(there.first))
    while len(left):
        left = left[there.first[at[left]] == asked.first[left]]
        hit = there.second[at[left]] == asked.second[left]
        found[left[hit]] = True
        left = left[~hit]  # another one has the same first half
        at[left] += 1
        left = left[at[left] < len(there.first)]
    return found
