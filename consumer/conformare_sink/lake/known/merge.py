"""Several segments become one, step by step, so that nobody waits long for it."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np

from conformare_sink.lake.halves import joined
from conformare_sink.lake.known.segment import Segment, SegmentWriter

Merge: TypeAlias = Iterator[Segment | None]
"""Yields None after each step, and the segment at last."""

_GREATEST = np.uint64(2**64 - 1)

FAN_IN = 4
"""So many segments of about one size become one; so there are at most three of each size."""
SMALLEST = 100_000
"""Digests of a segment: what is below it is of one size."""


def of_about_one_size(segments: Iterable[Segment]) -> list[Segment]:
    """Return segments that should be merged, the smallest that are; none where there are few."""
    by_size: dict[int, list[Segment]] = defaultdict(list)
    for segment in segments:
        by_size[max(0, int(math.log(len(segment) / SMALLEST, FAN_IN)))].append(segment)
    return next((by_size[size] for size in sorted(by_size) if len(by_size[size]) >= FAN_IN), [])


def merge(segments: Sequence[Segment], folder: Path, name: str, step: int) -> Merge:
    """Write one segment that has the digests of several.

    Args:
        segments: The others, which stay as they are.
        folder: Where it is to be.
        name: Its name.
        step: How many digests are read at once.

    Raises:
        DamagedError: One of the others is not as it was written.
        OSError: The disk refuses.
    """
    at = dict.fromkeys(range(len(segments)), 0)
    with SegmentWriter(folder, name) as writer:
        while at:
            each = max(1, step // len(at))
            parts = {n: segments[n].read(start, start + each) for n, start in at.items()}
            # Up to the least of their ends: beyond it, not all that comes next has been read.
            more = [n for n, part in parts.items() if at[n] + len(part.first) < len(segments[n])]
            bound = min((parts[n].first[-1] for n in more), default=_GREATEST)
            taken = []
            for n, part in parts.items():
                count = int(part.first.searchsorted(bound, "right"))
                taken.append(part.chosen(slice(count)))
                at[n] += count
            at = {n: start for n, start in at.items() if start < len(segments[n])}
            writer.write(joined(taken))
            yield None
        yield writer.finish()
