"""The grains and the Avro schemas of their messages, as released under `v<N>/<grain>.avsc`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

GRAINS: tuple[str, ...] = (
    "runs",
    "contexts",
    "risks",
    "sources",
    "sinks",
    "expectations",
    "owners",
    "sink_risks",
)
"""Every grain, in the order in which a record lists them."""

RELEASED_VERSIONS: tuple[int, ...] = (1,)
"""Every released version of the contract, oldest first; a released `.avsc` never changes."""

CONTRACT_VERSION: int = RELEASED_VERSIONS[-1]
"""The version that producers write."""

MAX_ROWS_PER_MESSAGE: int = 10_000
"""Rows that one message may have: a message of 1 MB can hold 240,000 empty rows, which take a
gigabyte of the sink's memory."""

MOST_ROWS_PER_EMISSION: int = 1_000_000
"""Rows of all grains together that one emission may have: the sink lands them at once."""

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
        ValueError: The grain or the version is not part of the contract.
    """
    if grain not in GRAINS:
        raise ValueError(f"unknown grain {grain!r}; the grains are {', '.join(GRAINS)}")
    if version not in RELEASED_VERSIONS:
        raise ValueError(f"unknown contract version {version}; released are {RELEASED_VERSIONS}")
    return (files(__package__) / f"v{version}" / f"{grain}.avsc").read_text(encoding="utf-8")


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
