"""Messages leave quarantine: those that can be used by now land, and what nobody wants is dropped.

What is retried lands first and is deleted from quarantine afterwards. A process that ends in between
does no harm: the next retry finds the runs of these messages landed, or the messages waiting, where
each is kept once, and deletes them then.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from pyspark.sql import Column
from pyspark.sql import functions as F

from conformare_schemas import HEADER_BYTES
from conformare_sink.lake.delete import Keys
from conformare_sink.lake.lake import Lake
from conformare_sink.lake.own_tables import QUARANTINE
from conformare_sink.lake.quarantine import QuarantineFilter
from conformare_sink.landing.landing import Landing
from conformare_sink.messages.decode import readable_headers
from conformare_sink.messages.emission import Decision
from conformare_sink.messages.envelope import UNKNOWN_SCHEMA
from conformare_sink.messages.message import MESSAGE_COLUMNS, Place, messages_of
from conformare_sink.spark.by_key import by_key


@dataclass(frozen=True)
class Retried:
    """What became of messages that were tried again."""

    emissions: Mapping[Decision, int]
    """Emissions by what became of them."""
    used: int
    """Messages that were taken out of quarantine."""
    unusable: Mapping[str, int]
    """Messages that stay there, by what is wrong with them now."""

    def summary(self) -> str:
        """Return the counts as a line for a person."""
        counts = [f"{n} run(s) {decision.value}" for decision, n in self.emissions.items()]
        counts.append(f"{sum(self.unusable.values())} message(s) still unusable")
        return ", ".join(counts)


def retry(lake: Lake, landing: Landing, chosen: QuarantineFilter) -> Retried:
    """Land messages from quarantine, together with what waits.

    Args:
        lake: The lake, open for writing.
        landing: Lands in that lake.
        chosen: Which messages.
    """
    return _retry(lake, landing, _condition(chosen))


def retry_newly_readable(lake: Lake, landing: Landing) -> Retried | None:
    """Land messages whose schema was not known when they came, and is known now.

    Args:
        lake: The lake, open for writing.
        landing: Lands in that lake.

    Returns:
        What became of them; None where there are none.
    """
    if not lake.has_quarantined():
        return None
    headers = [bytearray(header) for header in readable_headers()]
    readable = F.substring("value", 1, HEADER_BYTES).isin(headers)
    retried = _retry(lake, landing, readable & F.col("cause").startswith(UNKNOWN_SCHEMA))
    return retried if retried.used else None


def drop(lake: Lake, chosen: QuarantineFilter) -> int:
    """Delete messages from quarantine; return how many.

    Args:
        lake: The lake, open for writing.
        chosen: Which messages.
    """
    places = lake.tables.read(QUARANTINE.name).where(_condition(chosen)).select(*Place._fields)
    return lake.delete(QUARANTINE.name, Keys.of(places))


def _retry(lake: Lake, landing: Landing, condition: Column) -> Retried:
    emissions: Counter[Decision] = Counter()
    unusable: Counter[str] = Counter()
    used = 0
    rows = lake.tables.read(QUARANTINE.name).where(condition).select(*MESSAGE_COLUMNS)
    for portion in by_key(rows, "key"):
        messages = messages_of(portion)
        landed = landing.land(messages)
        still_there = {one.message.place for one in landed.rejected}
        usable = [message for message in messages if message.place not in still_there]
        if usable:
            lake.release(usable)
        emissions.update(landed.emissions)
        unusable.update(one.cause for one in landed.rejected)
        used += len(usable)
    return Retried(+emissions, used, unusable)


def _condition(chosen: QuarantineFilter) -> Column:
    condition = F.lit(True)
    if chosen.cause is not None:
        condition &= F.col("cause").startswith(chosen.cause)
    if chosen.topic is not None:
        condition &= F.col("topic") == chosen.topic
    return condition
