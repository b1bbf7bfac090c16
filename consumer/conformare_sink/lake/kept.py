"""Messages that the lake keeps come back: what waits, without its values until they are needed."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime

import pyarrow as pa

from conformare_sink.lake.tables.own import PENDING
from conformare_sink.lake.tables.sql import at_places, microseconds_of, sql_moment
from conformare_sink.lake.tables.tables import LakeTables, select_all, select_rows
from conformare_sink.messages.emission import EmissionKey
from conformare_sink.messages.envelope import Envelope
from conformare_sink.messages.message import MESSAGE_COLUMNS, Message, Place, messages_of

MOST_BYTES = 32 * 1024 * 1024
"""Values that come at once."""
MOST_MESSAGES = 10_000
MOST_WAITING = 50_000
"""Messages without values that come at once: as envelopes, they take ten times their final room."""

_NO_TIME = 0
"""`ts` of a message whose value has not been read."""
_PLACES = "topic, partition, `offset`, timestamp"
_WAITING = f"""
SELECT key, {_PLACES}, grain, n_rows, run_id, pipeline, emission_id, first_row, row_counts
FROM {PENDING.name}
"""  # noqa: S608 - our own words


def read_waiting(tables: LakeTables) -> Iterator[list[Envelope]]:
    """Return the messages that wait, without their values, in portions.

    Args:
        tables: The lake's tables.
    """
    for found in tables.select(_WAITING, PENDING.name):
        for start in range(0, found.num_rows, MOST_WAITING):
            yield envelopes_of(found.slice(start, MOST_WAITING))


def envelopes_of(rows: pa.Table) -> list[Envelope]:
    """Return messages that wait.

    Args:
        rows: Of the table `pending`, with values or without.
    """
    table = rows
    if "value" not in rows.column_names:
        table = rows.append_column("value", pa.nulls(rows.num_rows, pa.binary()))
    names = ("grain", "n_rows", "run_id", "pipeline", "emission_id", "first_row", "row_counts")
    columns = [table.column(name).to_pylist() for name in names]
    return [
        Envelope(
            message=message,
            grain=grain,
            n_rows=n_rows,
            at=-1,
            run_id=run_id,
            pipeline=pipeline,
            ts=_NO_TIME,
            emission_id=emission_id,
            first_row=first_row,
            row_counts=None if counts is None else dict(counts),
        )
        for message, grain, n_rows, run_id, pipeline, emission_id, first_row, counts in zip(
            messages_of(table), *columns, strict=True
        )
    ]


def waiting_since(tables: LakeTables, moment: datetime) -> list[EmissionKey]:
    """Return the emissions of which nothing has been kept since a moment.

    Args:
        tables: The lake's tables.
        moment: The moment.
    """
    sql = f"""
        SELECT pipeline, run_id, emission_id FROM {PENDING.name}
        GROUP BY pipeline, run_id, emission_id
        HAVING max(kept_at) < {sql_moment(microseconds_of(moment), tables.dialect)}
    """  # noqa: S608 - a number
    return [EmissionKey(**row) for row in select_rows(tables, sql, PENDING.name)]


def fetch_messages(
    tables: LakeTables, table: str, places: Collection[Place]
) -> Iterator[list[Message]]:
    """Return messages that a table keeps, with their values, in portions and in the order asked.

    One that was kept twice comes once, and one that is not there is left out.

    Args:
        tables: The lake's tables.
        table: Which of them.
        places: Where the messages are in Kafka.
    """
    wanted = dict.fromkeys(places)
    ordered = list(wanted)
    for start in range(0, len(ordered), MOST_MESSAGES):
        some = ordered[start : start + MOST_MESSAGES]
        sizes = _sizes(tables, table, some)
        for portion in _in_portions([place for place in some if place in sizes], sizes):
            sql = f"SELECT {', '.join(_quoted(MESSAGE_COLUMNS))} FROM {table} WHERE {at_places(portion)}"  # noqa: S608 - texts are quoted
            found = {m.place: m for m in messages_of(select_all(tables, sql, table))}
            yield [found[place] for place in portion if place in found]


def _sizes(tables: LakeTables, table: str, places: Collection[Place]) -> dict[Place, int]:
    sql = f"SELECT {_PLACES}, value_bytes FROM {table} WHERE {at_places(places)}"  # noqa: S608 - texts are quoted
    found = select_all(tables, sql, table)
    nothing = pa.nulls(found.num_rows, pa.binary())
    messages = messages_of(found.append_column("key", nothing).append_column("value", nothing))
    return {
        message.place: size or 0
        for message, size in zip(messages, found.column("value_bytes").to_pylist(), strict=True)
    }


def _in_portions(places: list[Place], sizes: dict[Place, int]) -> Iterator[list[Place]]:
    portion: list[Place] = []
    total = 0
    for place in places:
        if portion and total + sizes[place] > MOST_BYTES:
            yield portion
            portion, total = [], 0
        portion.append(place)
        total += sizes[place]
    if portion:
        yield portion


def _quoted(names: Collection[str]) -> list[str]:
    return [f"`{name}`" for name in names]
