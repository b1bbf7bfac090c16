"""What is in quarantine, read without Spark; never what a message says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from deltalake import DeltaTable, QueryBuilder
from deltalake.exceptions import TableNotFoundError

from conformare_schemas import table_path
from conformare_sink.errors import NoLakeError
from conformare_sink.lake_tables import QUARANTINE

SHOWN_BYTES = 16
"""How much of a value is shown: enough to tell its framing and its schema."""


@dataclass(frozen=True)
class QuarantineFilter:
    """Some of the messages in quarantine: those that fit every condition given."""

    cause: str | None = None
    """What their cause begins with."""
    topic: str | None = None
    """Topic they came by."""


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


def quarantined_causes(lake: str) -> list[QuarantinedCause]:
    """Return for which causes messages are in quarantine, the most frequent first.

    Args:
        lake: Folder of the lake: a local path or a URI.

    Raises:
        NoLakeError: There is no lake.
    """
    found = _query(lake, _CAUSES_SQL)
    return [QuarantinedCause(**{**row, "topics": tuple(sorted(row["topics"]))}) for row in found]


def quarantined_messages(
    lake: str, chosen: QuarantineFilter, limit: int
) -> list[QuarantinedMessage]:
    """Return messages that are in quarantine, the latest first.

    Args:
        lake: Folder of the lake: a local path or a URI.
        chosen: Which ones.
        limit: How many at most.

    Raises:
        NoLakeError: There is no lake.
    """
    sql = f"""
        SELECT topic, partition, "offset", timestamp, key, value, cause FROM quarantine
        WHERE {_condition(chosen)}
        ORDER BY quarantined_at DESC, topic, partition, "offset" LIMIT {limit:d}
    """  # noqa: S608 - texts are quoted
    return [_without_content(row) for row in _query(lake, sql)]


_CAUSES_SQL = """
SELECT cause, count(*) AS messages, array_agg(DISTINCT topic) AS topics,
       min(quarantined_at) AS first, max(quarantined_at) AS last
FROM quarantine GROUP BY cause ORDER BY messages DESC, cause
"""


def _condition(chosen: QuarantineFilter) -> str:
    conditions = ["true"]
    if chosen.cause is not None:
        conditions.append(f"starts_with(cause, {_text(chosen.cause)})")
    if chosen.topic is not None:
        conditions.append(f"topic = {_text(chosen.topic)}")
    return " AND ".join(conditions)


def _text(value: str) -> str:
    escaped = value.replace("'", "''")
    return f"'{escaped}'"


def _query(lake: str, sql: str) -> Iterator[Mapping[str, Any]]:
    try:
        DeltaTable(table_path(lake, "runs"))
    except TableNotFoundError as exc:
        raise NoLakeError(f"there is no conformare lake at {lake}") from exc
    with suppress(TableNotFoundError):  # a lake that only jobs have written to has no quarantine
        table = DeltaTable(table_path(lake, QUARANTINE.name))
        found = QueryBuilder().register(QUARANTINE.name, table).execute(sql).read_all()
        columns = [column.to_pylist() for column in found.columns]
        for values in zip(*columns, strict=True):
            yield dict(zip(found.column_names, values, strict=True))


def _without_content(row: Mapping[str, Any]) -> QuarantinedMessage:
    value = row["value"] or b""
    return QuarantinedMessage(
        topic=row["topic"],
        partition=row["partition"],
        offset=row["offset"],
        timestamp=row["timestamp"],
        key=_printable(row["key"] or b""),
        value_bytes=len(value),
        cause=row["cause"],
        first_bytes=bytes(value[:SHOWN_BYTES]).hex(),
    )


def _printable(key: bytes) -> str:
    """Return a key as text, if it is some; a terminal obeys what a hostile one may hold."""
    text = key.decode("utf-8", "backslashreplace")
    return text if text.isprintable() else key.hex()
