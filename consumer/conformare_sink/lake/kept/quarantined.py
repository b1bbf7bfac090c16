"""What is in quarantine; never what a message says."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pyarrow as pa

from conformare_sink.lake.tables.own import QUARANTINE
from conformare_sink.lake.tables.sql import at_places, sql_text
from conformare_sink.lake.tables.tables import (
    LakeTables,
    Rows,
    require_lake,
    select_all,
    select_rows,
)
from conformare_sink.messages.message import Place, messages_of

SHOWN_BYTES = 16
"""How much of a value is shown: enough to tell its framing and its schema."""

_DIGITS = 2 * SHOWN_BYTES
_FIRST_BYTES = {
    "datafusion": f"substr(encode(value, 'hex'), 1, {_DIGITS})",
    "spark": f"lower(substr(hex(value), 1, {_DIGITS}))",
}
"""The value's beginning, in each dialect of SQL: values themselves may be large."""


@dataclass(frozen=True)
class QuarantineFilter:
    """Some of the messages in quarantine: those that fit every condition given."""

    cause: str | None = None
    """What their cause begins with."""
    topic: str | None = None
    """Topic they came by."""
    beginnings: Collection[bytes] | None = None
    """What their value begins with: one of these, up to `SHOWN_BYTES` each and all as long."""


@dataclass(frozen=True)
class QuarantinedCause:
    """All messages that are in quarantine for one cause."""

    cause: str
    messages: int
    topics: tuple[str, ...]
    first: datetime
    """When the first of them was put there."""
    last: datetime


@dataclass(frozen=True)
class QuarantinedMessage:
    """One message in quarantine, without what it says."""

    topic: str
    partition: int
    offset: int
    timestamp: datetime
    """When the broker took it."""
    key: str
    value_bytes: int
    cause: str
    first_bytes: str
    """The value's beginning, in hexadecimal digits."""


def quarantined_causes(tables: LakeTables) -> list[QuarantinedCause]:
    """Return for which causes messages are in quarantine, the most frequent first.

    Args:
        tables: The lake's tables.

    Raises:
        NoLakeError: There is no lake.
        LakeRefusedError: Its tables are elsewhere.
    """
    found = _query(tables, _CAUSES_SQL)
    return [QuarantinedCause(**{**row, "topics": tuple(sorted(row["topics"]))}) for row in found]


def quarantined_messages(
    tables: LakeTables, chosen: QuarantineFilter, limit: int
) -> list[QuarantinedMessage]:
    """Return messages that are in quarantine, the latest first.

    Args:
        tables: The lake's tables.
        chosen: Which ones.
        limit: How many at most.

    Raises:
        NoLakeError: There is no lake.
        LakeRefusedError: Its tables are elsewhere.
    """
    sql = f"""
        SELECT topic, partition, `offset`, timestamp, key, value_bytes, cause,
               {_FIRST_BYTES[tables.dialect]} AS first_bytes
        FROM quarantine
        WHERE {_condition(chosen, tables.dialect)}
        ORDER BY quarantined_at DESC, topic, partition, `offset` LIMIT {limit:d}
    """  # noqa: S608 - texts are quoted
    return [_without_content(row) for row in _query(tables, sql)]


_CAUSES_SQL = """
SELECT cause, count(*) AS messages, array_agg(DISTINCT topic) AS topics,
       min(quarantined_at) AS first, max(quarantined_at) AS last
FROM quarantine GROUP BY cause ORDER BY messages DESC, cause
"""


def quarantined_places(tables: LakeTables, chosen: QuarantineFilter) -> list[Place]:
    """Return where messages in quarantine are in Kafka, those of one key side by side.

    Args:
        tables: The lake's tables.
        chosen: Which ones.
    """
    return _places(tables, f"{_condition(chosen, tables.dialect)} ORDER BY key, timestamp")


def places_with_other_causes(
    tables: LakeTables, places: Collection[Place], causes: Collection[str]
) -> set[Place]:
    """Return which messages are in quarantine for other causes than some.

    Args:
        tables: The lake's tables.
        places: Where the messages are in Kafka.
        causes: The causes that do not count.
    """
    others = f"cause NOT IN ({', '.join(map(sql_text, causes))})"
    return set(_places(tables, f"{others} AND ({at_places(places)})"))


def _places(tables: LakeTables, condition: str) -> list[Place]:
    sql = f"SELECT topic, partition, `offset`, timestamp, key FROM quarantine WHERE {condition}"  # noqa: S608 - texts are quoted
    found = select_all(tables, sql, QUARANTINE.name)
    nothing = pa.nulls(found.num_rows, pa.binary())
    return [message.place for message in messages_of(found.append_column("value", nothing))]


def quarantined_beginnings(
    tables: LakeTables, chosen: QuarantineFilter, n_bytes: int, limit: int
) -> list[bytes]:
    """Return what the values of messages in quarantine begin with, each beginning once, in no order.

    Of more than there may be, it returns others each time.

    Args:
        tables: The lake's tables.
        chosen: Which messages.
        n_bytes: Length of a beginning, up to `SHOWN_BYTES`.
        limit: How many at most.
    """
    beginning = f"substr({_FIRST_BYTES[tables.dialect]}, 1, {2 * n_bytes:d})"
    sql = f"""
        SELECT {beginning} AS beginning FROM quarantine
        WHERE {_condition(chosen, tables.dialect)}
        GROUP BY {beginning} ORDER BY random() LIMIT {limit:d}
    """  # noqa: S608 - texts are quoted
    return [bytes.fromhex(row["beginning"] or "") for row in _query(tables, sql)]


def _condition(chosen: QuarantineFilter, dialect: str) -> str:
    conditions = ["true"]
    if chosen.cause is not None:
        beginning = f"substr(cause, 1, {len(chosen.cause)})"
        conditions.append(f"{beginning} = {sql_text(chosen.cause)}")
    if chosen.topic is not None:
        conditions.append(f"topic = {sql_text(chosen.topic)}")
    if chosen.beginnings is not None:
        digits = [one.hex() for one in chosen.beginnings] or [""]
        beginning = f"substr({_FIRST_BYTES[dialect]}, 1, {len(digits[0])})"
        conditions.append(f"{beginning} IN ({', '.join(map(sql_text, digits))})")
    return " AND ".join(conditions)


def _query(tables: LakeTables, sql: str) -> Rows:
    require_lake(tables)
    # A lake that only jobs have written to has no quarantine.
    there = tables.exist(QUARANTINE.name)
    return select_rows(tables, sql, QUARANTINE.name) if there else []


def _without_content(row: Mapping[str, Any]) -> QuarantinedMessage:
    return QuarantinedMessage(
        topic=row["topic"],
        partition=row["partition"],
        offset=row["offset"],
        timestamp=row["timestamp"],
        key=(row["key"] or b"").decode("utf-8", "backslashreplace"),
        value_bytes=row["value_bytes"] or 0,
        cause=row["cause"],
        first_bytes=row["first_bytes"] or "",
    )
