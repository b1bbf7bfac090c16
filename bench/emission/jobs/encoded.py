"""The typical run as it is sent: the same content each time, under another run_id."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

from bench.emission.jobs.runs import PIPELINE, numbered
from support.messages.typical import typical_store

from conformare import to_run_record
from conformare.emission import Emission, encode_emission
from conformare.emission._headers import emission_headers

MAX_MESSAGE_BYTES = 1_000_000

Record = dict[str, list[dict[str, Any]]]


def numbered_records() -> Callable[[int], Record]:
    """Return a function that gives the record of a number; only its row in `runs` is made anew."""
    record = to_run_record(typical_store(), PIPELINE)
    run = record["runs"][0]
    return lambda number: {**record, "runs": [{**run, "run_id": numbered(number)}]}


def encoded_emissions(count: int) -> list[Emission]:
    """Return the emissions of so many records."""
    record_of = numbered_records()
    return [_encoded(record_of(number), number) for number in range(count)]


def _encoded(record: Record, number: int) -> Emission:
    return Emission(
        pipeline=PIPELINE,
        run_id=numbered(number),
        emission_id=numbered(number),
        recorded_at=datetime.now(timezone.utc),
        headers=emission_headers(numbered(0), number),
        messages=encode_emission(record, numbered(number), max_message_bytes=MAX_MESSAGE_BYTES),
    )
