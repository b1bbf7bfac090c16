"""What there is already: a set in memory that answers for millions at once.

An element is its digest of 128 bits, so a look-up touches no table, however large it is and whatever
run_ids look like. Two of a hundred million runs share a digest by chance with a probability of less
than one in 10^20.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from hashlib import md5

import numpy as np
import pyarrow as pa

from conformare_sink.lake.halves import (
    DigestArray,
    Halves,
    Mask,
    array_of,
    array_of_column,
    distinct,
    found_in,
    halves_of,
    in_order,
    joined,
)
from conformare_sink.lake.tables.tables import LakeTables
from conformare_sink.messages.emission import RunKey
from conformare_sink.messages.message import Place

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


EMISSION_DIGEST: Mapping[str, str] = {
    "datafusion": "digest(emission_id, 'md5')",
    "spark": "unhex(md5(emission_id))",
}
"""`emission_digest` of the emission that a row is of, in each dialect of SQL."""


def run_digest(run: RunKey) -> bytes:
    """Return a run's digest; the length keeps run_id and pipeline apart."""
    return _digest(f"{len(run.run_id)}:{run.run_id}{run.pipeline}")


def run_digests(runs: Iterable[RunKey]) -> DigestArray:
    """Return the digests of runs, one after the other."""
    return array_of([*map(run_digest, runs)])


def place_digest(place: Place) -> bytes:
    """Return the digest of a message's place."""
    return _digest(f"{place.timestamp}:{place.partition}:{place.offset}:{place.topic}")


def emission_digest(emission_id: str) -> bytes:
    """Return the digest of an emission that is known by its id alone."""
    return _digest(emission_id)


class DigestSet:
    """A set of digests in memory; 16 bytes each."""

    def __init__(self, digests: Collection[bytes] = ()) -> None:
        self._parts: list[Halves] = []
        """Each is in order, and at least twice as long as the next."""
        self.add(digests)

    def __len__(self) -> int:
        return sum(len(part.first) for part in self._parts)

    def add(self, digests: Collection[bytes]) -> None:
        """Add digests."""
        self.add_halves(halves_of(array_of(digests)))

    def add_column(self, digests: pa.ChunkedArray) -> None:
        """Add digests that were computed where a table was read."""
        self.add_halves(halves_of(array_of_column(digests)))

    def add_halves(self, digests: Halves) -> None:
        """Add digests by their halves."""
        part = distinct(in_order(digests))
        part = part.chosen(~self.contain_halves(part))
        if not len(part.first):
            return
        # So each digest is sorted a few times only, however many come one after the other.
        while self._parts and len(self._parts[-1].first) < 2 * len(part.first):
            part = joined([self._parts.pop(), part])
        self._parts.append(part)

    def contain(self, digests: Collection[bytes]) -> list[bool]:
        """Return of each of some digests whether it is in the set."""
        found: list[bool] = self.contain_halves(halves_of(array_of(digests))).tolist()
        return found

    def contain_halves(self, digests: Halves) -> Mask:
        """Return the same of digests by their halves."""
        found = np.zeros(len(digests.first), np.bool_)
        for part in self._parts:
            found |= found_in(part, digests)
        return found

    def halves(self) -> Halves:
        """Return all of them, in order."""
        return joined(self._parts)


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
