"""What there is already: a set in memory that answers for millions at once.

An element is its digest of 128 bits, so a look-up touches no table, however large it is and whatever
run_ids look like. Two of a hundred million runs share a digest by chance with a probability of less
than one in 10^20.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from hashlib import md5

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from conformare_sink.lake.tables.tables import LakeTables
from conformare_sink.messages.emission import RunKey
from conformare_sink.messages.message import Place

Halves = npt.NDArray[np.uint64]
"""One half of each of some digests; in the set, the first halves are in order."""

DIGEST_BYTES = 16
RUN_DIGEST: Mapping[str, str] = {
    "datafusion": "digest(concat(character_length(run_id), ':', run_id, pipeline), 'md5')",
    "spark": "unhex(md5(concat(cast(length(run_id) AS STRING), ':', run_id, pipeline)))",
}
"""`run_digest` of a row's run, in each dialect of SQL."""

PLACE_DIGEST: Mapping[str, str] = {
    "datafusion": "digest(concat_ws(':', arrow_cast(timestamp, 'Int64'), partition, `offset`, topic), 'md5')",
    "spark": "unhex(md5(concat_ws(':', unix_micros(timestamp), partition, `offset`, topic)))",
}
"""`place_digest` of the place that a row's message has in Kafka."""

RECENT = 100_000
"""Digests that are kept beside the sorted ones before they are sorted in."""


def run_digest(run: RunKey) -> bytes:
    """Return a run's digest; the length keeps run_id and pipeline apart."""
    return _digest(f"{len(run.run_id)}:{run.run_id}{run.pipeline}")


def place_digest(place: Place) -> bytes:
    """Return the digest of a message's place."""
    return _digest(f"{place.timestamp}:{place.partition}:{place.offset}:{place.topic}")


class DigestSet:
    """A set of digests; 16 bytes each."""

    def __init__(self) -> None:
        self._first: Halves = np.empty(0, np.uint64)
        self._second: Halves = np.empty(0, np.uint64)
        self._recent: set[bytes] = set()

    def __len__(self) -> int:
        return len(self._first) + len(self._recent)

    def add(self, digests: Collection[bytes]) -> None:
        """Add digests, none of which is in the set yet."""
        self._recent.update(digests)
        if len(self._recent) >= RECENT:
            self._sort_in(b"".join(self._recent))
            self._recent = set()

    def add_column(self, digests: pa.ChunkedArray) -> None:
        """Add digests that were computed where a table was read; none is in the set yet."""
        content = []
        for chunk in digests.chunks:
            fixed = chunk.cast(pa.binary(DIGEST_BYTES))
            start = fixed.offset * DIGEST_BYTES
            content.append(
                fixed.buffers()[1].to_pybytes()[start : start + len(fixed) * DIGEST_BYTES]
            )
        self._sort_in(b"".join(content))

    def contain(self, digests: Collection[bytes]) -> list[bool]:
        """Return of each of some digests whether it is in the set."""
        if not digests:
            return []
        sorted_in = self._are_sorted_in(b"".join(digests))
        return [
            bool(there) or one in self._recent
            for there, one in zip(sorted_in, digests, strict=True)
        ]

    def _sort_in(self, digests: bytes) -> None:
        first, second = _halves(digests)
        first = np.concatenate([self._first, first])
        # Stable is fast where most is in order already.
        order = np.argsort(first, kind="stable")
        self._first = first[order]
        self._second = np.concatenate([self._second, second])[order]

    def _are_sorted_in(self, digests: bytes) -> npt.NDArray[np.bool_]:
        first, second = _halves(digests)
        found = np.zeros(len(first), np.bool_)
        begin = np.searchsorted(self._first, first, side="left")
        end = np.searchsorted(self._first, first, side="right")
        for number in np.flatnonzero(begin < end):
            candidates = self._second[begin[number] : end[number]]
            found[number] = bool((candidates == second[number]).any())
        return found


def read_digests(tables: LakeTables, table: str, digest: Mapping[str, str]) -> DigestSet:
    """Return the digests of all rows of a table.

    Args:
        tables: The lake's tables.
        table: Which of them.
        digest: What the digest of a row is, in each dialect of SQL.
    """
    digests = DigestSet()
    sql = f"SELECT {digest[tables.dialect]} AS digest FROM {table}"  # noqa: S608 - our own words
    for portion in tables.select(sql, table):
        digests.add_column(portion.column("digest"))
    return digests


def runs_in(digests: DigestSet, runs: Collection[RunKey]) -> set[RunKey]:
    """Return which of some runs have their digest in a set."""
    ordered = list(runs)
    found = digests.contain([run_digest(run) for run in ordered])
    return {run for run, there in zip(ordered, found, strict=True) if there}


def _digest(text: str) -> bytes:
    return md5(text.encode(), usedforsecurity=False).digest()


def _halves(digests: bytes) -> tuple[Halves, Halves]:
    words = np.frombuffer(digests, np.dtype(">u8")).astype(np.uint64)
    return words[0::2], words[1::2]
