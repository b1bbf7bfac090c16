"""Values in SQL that deltalake and Spark understand alike; neither takes parameters everywhere."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection
from datetime import datetime, timedelta, timezone

from conformare_sink.messages.message import Place

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def sql_text(value: str) -> str:
    r"""Return a text as it stands in a query.

    To Spark, `\` and `${` have a meaning even there.
    """
    escaped = re.sub(r"[\\'$]", lambda found: f"' || chr({ord(found[0])}) || '", value)
    return f"('{escaped}')"


def microseconds_of(moment: datetime) -> int:
    """Return a moment as microseconds since 1970, UTC."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def sql_moment(microseconds: int, dialect: str) -> str:
    """Return a moment as it stands in a query: microseconds since 1970, UTC."""
    if dialect == "spark":
        return f"timestamp_micros({microseconds})"
    return f"arrow_cast({microseconds}, 'Timestamp(Microsecond, Some(\"UTC\"))')"


def one_of(column: str, values: Collection[str]) -> str:
    """Return the condition that a column has one of some texts."""
    return f"{column} IN ({', '.join(map(sql_text, values))})" if values else "false"


def at_places(places: Collection[Place]) -> str:
    """Return the condition that a row's message is at one of some places; the time is not looked at."""
    offsets: dict[tuple[str, int], list[int]] = defaultdict(list)
    for place in places:
        offsets[place.topic, place.partition].append(place.offset)
    conditions = [
        f"(topic = {sql_text(topic)} AND partition = {partition:d} "
        f"AND `offset` IN ({', '.join(map(str, those))}))"
        for (topic, partition), those in offsets.items()
    ]
    return " OR ".join(conditions) or "false"
