"""Messages leave quarantine: those that can be used by now land, and what nobody wants is dropped.

What is retried lands first and is deleted from quarantine afterwards. A process that ends in between
does no harm: the next retry finds the runs of these messages landed, or the messages waiting, where
each is kept once, and deletes them then.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce

from conformare_schemas import CONFLUENT_HEADER_BYTES, confluent_header, confluent_id
from conformare_sink.lake.kept.messages import fetch_messages
from conformare_sink.lake.kept.quarantined import (
    QuarantineFilter,
    quarantined_beginnings,
    quarantined_places,
)
from conformare_sink.lake.lake import Lake
from conformare_sink.lake.tables.own import QUARANTINE
from conformare_sink.landing.landing import Landing, in_the_end
from conformare_sink.messages.decode import readable_headers
from conformare_sink.messages.emission import Decision, EmissionKey
from conformare_sink.messages.envelope import UNKNOWN_SCHEMA
from conformare_sink.messages.framing import (
    FOREIGN,
    NOT_OURS,
    UNRESOLVED,
    UNRESOLVED_CAUSES,
    SchemaIds,
)
from conformare_sink.messages.message import Place

MOST_IDS = 1_000
"""Schema ids that a question names: the engine takes a tenth of a millisecond for each."""


@dataclass(frozen=True)
class Retried:
    """What became of messages that were tried again."""

    emissions: Mapping[Decision, int]
    """Emissions by what became of them."""
    used: int
    """Messages that were taken out of quarantine."""
    unusable: Mapping[str, int]
    """Messages that stay there, by what is wrong with them now."""

    def together(self, other: Retried) -> Retried:
        """Return the sum of both."""
        return Retried(
            Counter(self.emissions) + Counter(other.emissions),
            self.used + other.used,
            Counter(self.unusable) + Counter(other.unusable),
        )

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
    chosen = QuarantineFilter(cause=UNKNOWN_SCHEMA, beginnings=readable_headers())
    retried = _retry(lake, landing, chosen)
    return retried if retried.used else None


def retry_resolved(lake: Lake, landing: Landing, ids: SchemaIds) -> Retried:
    """Land messages whose schema id the registry has told by now; give the others their true cause.

    Args:
        lake: The lake, open for writing.
        landing: Lands in that lake, and knows the ids.
        ids: Those that are new.
    """
    retried = [Retried({}, 0, {})]
    for some in _at_a_time(sorted(ids)):
        chosen = QuarantineFilter(UNRESOLVED, beginnings=[*map(confluent_header, some)])
        retried.append(_retry(lake, landing, chosen, replaced=UNRESOLVED_CAUSES))
        # A sink of an older contract did not know these.
        ours = [confluent_header(one) for one in some if ids[one] != FOREIGN]
        if ours:
            retried.append(_retry(lake, landing, QuarantineFilter(NOT_OURS, beginnings=ours)))
    return reduce(Retried.together, retried)


def unresolved_ids(lake: Lake) -> list[int]:
    """Return schema ids for which messages are in quarantine.

    If there are more than `MOST_IDS` of a cause, it returns one more than that, others each time.

    Args:
        lake: The lake.
    """
    if not lake.has_quarantined():
        return []
    found = (
        confluent_id(beginning)
        for cause in (NOT_OURS, UNRESOLVED)
        for beginning in quarantined_beginnings(
            lake.tables, QuarantineFilter(cause), CONFLUENT_HEADER_BYTES, MOST_IDS + 1
        )
    )
    return [one for one in found if one is not None]


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
    replaced: Collection[str] = (),
) -> Retried:
    """Retry messages; those that stay get their cause of now in place of some."""
    decisions: dict[EmissionKey, Decision] = {}
    unusable: Counter[str] = Counter()
    used = 0
    places = quarantined_places(lake.tables, chosen)
    for portion in fetch_messages(lake.tables, QUARANTINE.name, places):
        still_there: set[Place] = set()
        for part in landing.in_parts(portion):
            landed = landing.land(part, in_full=True)
            if replaced:
                lake.requarantine(landed.rejected, replaced)
            still_there |= {one.message.place for one in landed.rejected}
            decisions = in_the_end(decisions, landed.decisions)
            unusable.update(one.cause for one in landed.rejected)
        usable = [message.place for message in portion if message.place not in still_there]
        if usable:
            lake.release(usable)
        used += len(usable)
    return Retried(Counter(decisions.values()), used, unusable)


def _at_a_time(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    return (ids[start : start + MOST_IDS] for start in range(0, len(ids), MOST_IDS))
