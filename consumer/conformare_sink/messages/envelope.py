"""What a message says of itself, judged against the contract."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from conformare_schemas import (
    EARLIEST_TS_MICROS,
    LATEST_TS_MICROS,
    MOST_ROWS_PER_EMISSION,
    RUN_GRAINS,
)
from conformare_sink.messages.message import Message

LARGEST_INT = 2**31 - 1

LONGEST_IDENTITY = 2_560
"""Bytes of run_id, pipeline and emission_id together: they are repeated in each of the rows. Our jobs
allow 255 characters to each of the first two."""

MOST_ROWS_OF_EMISSION = MOST_ROWS_PER_EMISSION
"""An emission lands at once, with all its rows in memory."""

UNKNOWN_SCHEMA = "unknown schema"
"""What causes begin with that an upgrade of the sink may remove."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """A decoded message without its rows."""

    message: Message
    grain: str
    n_rows: int
    at: int
    """Where its rows begin among the decoded rows of the grain."""
    run_id: str
    pipeline: str
    ts: int
    """Microseconds since 1970, UTC."""
    emission_id: str
    first_row: int
    row_counts: Mapping[str, int] | None
    """In `runs` only."""


@dataclass(frozen=True)
class Rejected:
    """A message that cannot be used."""

    message: Message
    cause: str
    n_bytes: int | None = None
    """What the message weighs, where its value was not read."""


def fault(envelope: Envelope) -> str | None:
    """Return the first cause for which a decoded message cannot be used."""
    if envelope.message.key != envelope.run_id.encode():
        return "breaks the contract: the key is not the run_id"
    if not (envelope.run_id and envelope.pipeline and envelope.emission_id):
        return "breaks the contract: run_id, pipeline or emission_id is empty"
    if _identity_bytes(envelope) > LONGEST_IDENTITY:
        return (
            "breaks the contract: run_id, pipeline and emission_id have together more than "
            f"{LONGEST_IDENTITY:,} bytes"
        )
    if not EARLIEST_TS_MICROS <= envelope.ts <= LATEST_TS_MICROS:
        return "breaks the contract: ts is outside the years 1900 to 9999"
    if not envelope.n_rows or not 0 <= envelope.first_row <= LARGEST_INT:
        return "breaks the contract: no rows, or no first_row that a grain can have"
    return None if envelope.row_counts is None else _fault_of_counts(envelope, envelope.row_counts)


def _fault_of_counts(envelope: Envelope, counts: Mapping[str, int]) -> str | None:
    """Return what is wrong with the counts by which an emission is known to be whole."""
    if envelope.n_rows != 1 or envelope.first_row != 0:
        return "breaks the contract: the grain runs has exactly one row"
    if counts.get("runs") != 1:
        return "breaks the contract: row_counts does not count the grain runs as one"
    if not counts.keys() <= set(RUN_GRAINS):
        return f"{UNKNOWN_SCHEMA}: row_counts names a grain that this sink does not know"
    if min(counts.values()) < 1 or max(counts.values()) > LARGEST_INT:
        return "breaks the contract: row_counts counts no rows, or more than there can be"
    if sum(counts.values()) > MOST_ROWS_OF_EMISSION:
        return f"breaks the contract: more than {MOST_ROWS_OF_EMISSION:,} rows in one emission"
    return None


def _identity_bytes(envelope: Envelope) -> int:
    identity = (envelope.run_id, envelope.pipeline, envelope.emission_id)
    return sum(len(name.encode()) for name in identity)
