"""Emissions: what there is of each, whether it is whole, and which one of a run lands."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from hashlib import md5
from typing import NamedTuple

from conformare_schemas import RUN_GRAINS

_UUID7 = 7
_BITS_AFTER_MILLISECONDS = 80
_BYTES_OF_TIME = 13
"""At the beginning of a UUIDv7 as it is written."""

IDENTITY_BYTES = _BYTES_OF_TIME + 16


class RunKey(NamedTuple):
    """A run is its `run_id` within its pipeline: one job may record several pipelines under one."""

    pipeline: str
    run_id: str


class EmissionKey(NamedTuple):
    """One `record_run` call: the same in every re-send of it."""

    pipeline: str
    run_id: str
    emission_id: str

    @property
    def run(self) -> RunKey:
        """The run that was emitted."""
        return RunKey(self.pipeline, self.run_id)


class Piece(NamedTuple):
    """What one message carries of one grain."""

    grain: str
    first_row: int
    n_rows: int


@dataclass(frozen=True)
class Emission:
    """What is there of one emission."""

    key: EmissionKey
    pieces: frozenset[Piece]
    """Distinct ones: a message that came twice counts once."""
    row_counts: Mapping[str, int] | None
    """Rows of every grain that has any; None while the `runs` message is missing."""
    last_arrival: tuple[object, ...]
    """Arrival of the message that came last."""

    def missing(self) -> dict[str, int]:
        """Return how many rows of which grain are missing; empty for a complete emission.

        A grain whose pieces overlap, or that `runs` does not count, is named with what does not
        fit: such an emission is never complete.
        """
        if self.row_counts is None:
            return {"runs": 1}
        present = self._contiguous_rows()
        differences = {
            grain: self.row_counts.get(grain, 0) - present.get(grain, 0) for grain in RUN_GRAINS
        }
        return {grain: rows for grain, rows in differences.items() if rows}

    def _contiguous_rows(self) -> dict[str, int]:
        """Rows of each grain from the first on, as far as pieces join without gap or overlap."""
        rows: dict[str, int] = defaultdict(int)
        broken = set()
        for grain, first_row, n_rows in sorted(self.pieces):
            if first_row == rows[grain] and grain not in broken:
                rows[grain] += n_rows
            else:
                broken.add(grain)
                if first_row < rows[grain]:
                    rows[grain] = -1
        return rows


class Decision(Enum):
    """What becomes of an emission in a micro-batch."""

    LAND = "landed"
    """It is the first of its run to be complete."""
    REPEAT = "repeated"
    """Its run is in the lake, or lands now from another emission."""
    WAIT = "incomplete"
    """Something is missing yet."""
    PURGED = "purged"
    """Its run was deleted from the lake on purpose, and does not come back."""


def decide(
    emissions: Iterable[Emission],
    known: Collection[RunKey],
    purged: Collection[RunKey] = frozenset(),
) -> dict[Decision, list[Emission]]:
    """Choose at most one emission of each run: the first to be complete.

    Args:
        emissions: All that is there, each once.
        known: Runs that the lake holds already.
        purged: Runs that were deleted from the lake.

    Returns:
        Every emission under its decision.
    """
    decided: dict[Decision, list[Emission]] = {decision: [] for decision in Decision}
    by_run: dict[RunKey, list[Emission]] = defaultdict(list)
    for emission in emissions:
        by_run[emission.key.run].append(emission)
    for run, candidates in by_run.items():
        if run in purged:
            decided[Decision.PURGED] += candidates
            continue
        complete = [] if run in known else [e for e in candidates if not e.missing()]
        # Two emissions can share their last arrival only by a hostile clock; the id settles it.
        first = min(complete, key=lambda e: (e.last_arrival, e.key), default=None)
        for emission in candidates:
            if emission is first:
                decided[Decision.LAND].append(emission)
            elif first is not None or run in known:
                decided[Decision.REPEAT].append(emission)
            else:
                decided[Decision.WAIT].append(emission)
    return decided


def recorded_at(emission_id: str) -> float | None:
    """Return when `record_run` was called for an emission, as its identity says it.

    Args:
        emission_id: Identity of the emission; whatever a message carried.

    Returns:
        Seconds since 1970, to the millisecond; None if the identity is no UUIDv7.
    """
    try:
        identity = uuid.UUID(emission_id)
    except ValueError:
        return None
    # `UUID` also takes braces, underscores and more, which no writer of ours makes.
    if identity.version != _UUID7 or str(identity) != emission_id.lower():
        return None
    return (identity.int >> _BITS_AFTER_MILLISECONDS) / 1000


def emission_identity(key: EmissionKey) -> bytes:
    """Return what an emission is known by on a disk: 29 bytes, mostly in the order of time."""
    run_id, pipeline, emission_id = key.run_id, key.pipeline, key.emission_id
    # The lengths keep the three texts apart.
    text = f"{len(run_id)}:{run_id}{len(pipeline)}:{pipeline}{emission_id}"
    digest = md5(text.encode(), usedforsecurity=False).digest()
    return emission_id.encode()[:_BYTES_OF_TIME].ljust(_BYTES_OF_TIME, b"\0") + digest


def identities_of(decisions: Mapping[EmissionKey, Decision]) -> dict[Decision, list[bytes]]:
    """Return the `emission_identity` of emissions, by what became of them.

    Those that wait are left out: they have not become anything yet.
    """
    by_decision: dict[Decision, list[bytes]] = defaultdict(list)
    for key, decision in decisions.items():
        if decision is not Decision.WAIT:
            by_decision[decision].append(emission_identity(key))
    return by_decision
