"""Declared risks of locations: each emission is one message, whole by itself and of no run."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

import pyarrow as pa

from conformare_schemas import (
    EARLIEST_TS_MICROS,
    LATEST_TS_MICROS,
    SOURCE_RISKS,
    arrow_schema,
    key_columns,
    table_columns,
)
from conformare_sink.messages.content import content_of
from conformare_sink.messages.emission import EmissionKey
from conformare_sink.messages.envelope import LONGEST_IDENTITY, Rejected
from conformare_sink.messages.message import Message

ROWS_AT_ONCE = 8_192
"""Rows are columns before so many of them wait as Python objects."""

NO_RUN = ""
"""Stands for pipeline and run_id of a declaration; no pipeline and no run is named so."""

_SHARED = (*key_columns(SOURCE_RISKS), "emission_id")
"""What a message says of all its rows."""


def declaration(emission_id: str) -> EmissionKey:
    """Return a declaration as an emission."""
    return EmissionKey(NO_RUN, NO_RUN, emission_id)


@cache
def no_declarations() -> pa.Table:
    """Return the rows of no declaration."""
    return arrow_schema(table_columns(SOURCE_RISKS)).empty_table()


def read_declarations(messages: Iterable[Message]) -> tuple[pa.Table, list[Rejected]]:
    """Return the rows that messages declare, as their table holds them, and what cannot be used.

    Args:
        messages: Those of the grain's topic. Of an emission that came twice, the first counts.
    """
    chunks = [no_declarations()]
    rejected: list[Rejected] = []
    rows: list[dict[str, Any]] = []
    read: set[str] = set()
    for message in sorted(messages, key=lambda one: one.arrival):
        content = content_of(SOURCE_RISKS, message.value)
        cause = content if isinstance(content, str) else _fault(message, content)
        if cause is not None:
            rejected.append(Rejected(message, cause))
        elif isinstance(content, dict) and content["emission_id"] not in read:
            read.add(content["emission_id"])
            shared = {name: content[name] for name in _SHARED}
            rows += [{**shared, **row} for row in content["rows"]]
        if len(rows) >= ROWS_AT_ONCE:
            chunks.append(_columns(rows))
            rows = []
    if rows:
        chunks.append(_columns(rows))
    return pa.concat_tables(chunks), rejected


def _columns(rows: list[dict[str, Any]]) -> pa.Table:
    return pa.Table.from_pylist(rows, no_declarations().schema)


def _fault(message: Message, content: dict[str, Any]) -> str | None:
    """Return the first cause for which a message cannot be used."""
    location, emission_id = (content[name].encode() for name in ("location", "emission_id"))
    if message.key != location:
        return "breaks the contract: the key is not the location"
    if not (location and emission_id):
        return "breaks the contract: location or emission_id is empty"
    if len(location) + len(emission_id) > LONGEST_IDENTITY:
        return (
            "breaks the contract: location and emission_id have together more than "
            f"{LONGEST_IDENTITY:,} bytes"
        )
    if not EARLIEST_TS_MICROS <= content["ts"] <= LATEST_TS_MICROS:
        return "breaks the contract: ts is outside the years 1900 to 9999"
    return None if content["rows"] else "breaks the contract: no rows"
