"""Messages that a lake keeps come back, with their values, a bounded number at once."""

from __future__ import annotations

from collections.abc import Collection, Iterator

import pyarrow as pa

from conformare_sink.lake.tables.sql import at_places
from conformare_sink.lake.tables.tables import LakeTables, select_all
from conformare_sink.messages.message import (
    MESSAGE_COLUMNS,
    Message,
    Place,
    message_columns,
    messages_of,
)

MOST_BYTES = 32 * 1024 * 1024
"""Values that come at once."""
MOST_MESSAGES = 10_000

PLACE_COLUMNS = "topic, partition, `offset`, timestamp"


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


def place_keys(places: Collection[Place]) -> pa.Table:
    """Return places of messages as keys of rows."""
    columns = message_columns([Message(None, None, *place) for place in places])
    return pa.table({name: columns[name] for name in Place._fields})


def _sizes(tables: LakeTables, table: str, places: Collection[Place]) -> dict[Place, int]:
    sql = f"SELECT {PLACE_COLUMNS}, value_bytes FROM {table} WHERE {at_places(places)}"  # noqa: S608 - texts are quoted
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
