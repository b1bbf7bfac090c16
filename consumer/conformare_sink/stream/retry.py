"""Messages leave quarantine: those that can be used by now land, and what nobody wants is dropped.

What is retried lands first and is deleted from quarantine afterwards. A process that ends in between
does no harm: the next retry finds the runs of these messages landed, or the messages waiting, where
each is kept once, and deletes them then.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from conformare_schemas import HEADER_BYTES
from conformare_sink.lake.kept import fetch_messages
from conformare_sink.lake.lake import Lake
from conformare_sink.lake.quarantine import QuarantineFilter, quarantined_places
from conformare_sink.lake.tables.own import QUARANTINE
from conformare_sink.landing.landing import Landing, in_the_end
from conformare_sink.messages.decode import readable_headers
from conformare_sink.messages.emission import Decision, EmissionKey
from conformare_sink.messages.envelope import UNKNOWN_SCHEMA
from conformare_sink.messages.message import Message, Place


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
    return _retry(lake, landing, chosen)


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
    headers = readable_headers()
    retried = _retry(
        lake,
        landing,
        QuarantineFilter(cause=UNKNOWN_SCHEMA),
        lambda message: (message.value or b"")[:HEADER_BYTES] in headers,
    )
    return retried if retried.used else None


def drop(lake: Lake, chosen: QuarantineFilter) -> int:
    """Delete messages from quarantine; return how many.

    Args:
        lake: The lake, open for writing.
        chosen: Which messages.
    """
    return lake.release(quarantined_places(lake.tables, chosen))


def _retry(
    lake: Lake,
    landing: Landing,
    chosen: QuarantineFilter,
    is_wanted: Callable[[Message], bool] = lambda _: True,
) -> Retried:
    decisions: dict[EmissionKey, Decision] = {}
    unusable: Counter[str] = Counter()
    used = 0
    places = quarantined_places(lake.tables, chosen)
    for portion in fetch_messages(lake.tables, QUARANTINE.name, places):
        still_there: set[Place] = set()
        messages = [message for message in portion if is_wanted(message)]
        for part in landing.in_parts(messages):
            landed = landing.land(part, in_full=True)
            still_there |= {one.message.place for one in landed.rejected}
            decisions = in_the_end(decisions, landed.decisions)
            unusable.update(one.cause for one in landed.rejected)
        usable = [message.place for message in messages if message.place not in still_there]
        if usable:
            lake.release(usable)
        used += len(usable)
    return Retried(Counter(decisions.values()), used, unusable)
