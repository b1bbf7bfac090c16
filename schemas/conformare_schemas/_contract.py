"""The grains and the Avro schemas of their messages, as released under `v<N>/<grain>.avsc`.

A version has files for the grains that it brings or changes. Every other grain is as in the version
before, with the same fingerprint: whoever knows that version reads its messages on.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

RUN_GRAINS: tuple[str, ...] = (
    "runs",
    "contexts",
    "risks",
    "sources",
    "sinks",
    "expectations",
    "owners",
    "sink_risks",
)
"""The grains of a run, in the order in which its record lists them."""

SOURCE_RISKS = "source_risks"
"""The grain of what is declared of a location, outside of any run."""

GRAINS: tuple[str, ...] = (*RUN_GRAINS, SOURCE_RISKS)
"""Every grain."""

_RELEASES: dict[int, tuple[str, ...]] = {1: RUN_GRAINS, 2: (SOURCE_RISKS,)}
"""Released version → the grains that it has a new `.avsc` for; all others stay as they were."""

RELEASED_VERSIONS: tuple[int, ...] = tuple(_RELEASES)
"""Every released version of the contract, oldest first; a released `.avsc` never changes."""

CONTRACT_VERSION: int = RELEASED_VERSIONS[-1]
"""The version that producers write."""

RELEASED_SCHEMAS: tuple[tuple[str, int], ...] = tuple(
    (grain, version) for version, grains in _RELEASES.items() for grain in grains
)
"""Grain and version of every `.avsc`."""

MAX_ROWS_PER_MESSAGE: int = 10_000
"""Rows that one message may have: a message of 1 MB can hold 240,000 empty rows, which take a
gigabyte of the sink's memory."""

MOST_ROWS_PER_EMISSION: int = 1_000_000
"""Rows of all grains together that one emission may have: the sink lands them at once."""

USUAL_MESSAGE_BYTES: int = 1_000_000
"""Bytes of the largest message that a job sends unless it is told otherwise; Kafka's own limit for a
topic is a little more."""

LARGEST_MESSAGE_BYTES: int = 16 * 2**20
"""Bytes of key and value together: the sink does not read the value of a larger message."""


@dataclass(frozen=True)
class RowField:
    """One column that a grain adds to the envelope."""

    name: str
    avro_type: Any
    doc: str


def message_schema_text(grain: str, version: int = CONTRACT_VERSION) -> str:
    """Return the released Avro schema of a grain's message, as JSON text.

    Args:
        grain: One of `GRAINS`.
        version: One of `RELEASED_VERSIONS`.

    Raises:
        ValueError: The version is not part of the contract, or has no such grain.
    """
    if version not in RELEASED_VERSIONS:
        raise ValueError(f"unknown contract version {version}; released are {RELEASED_VERSIONS}")
    of_version = [
        number for name, number in RELEASED_SCHEMAS if name == grain and number <= version
    ]
    if not of_version:
        raise ValueError(
            f"unknown grain {grain!r} in contract version {version}; the grains of the newest are "
            f"{', '.join(GRAINS)}"
        )
    return (files(__package__) / f"v{of_version[-1]}" / f"{grain}.avsc").read_text("utf-8")


@cache
def message_schema(grain: str, version: int = CONTRACT_VERSION) -> dict[str, Any]:
    """Return the schema of `message_schema_text` parsed from JSON; callers must not change it."""
    schema: dict[str, Any] = json.loads(message_schema_text(grain, version))
    return schema


@cache
def row_fields(grain: str, version: int = CONTRACT_VERSION) -> tuple[RowField, ...]:
    """Return a grain's own columns, in the order of its `.avsc`."""
    envelope = {field["name"]: field for field in message_schema(grain, version)["fields"]}
    row = envelope["rows"]["type"]["items"]
    return tuple(RowField(f["name"], f["type"], f["doc"]) for f in row["fields"])
