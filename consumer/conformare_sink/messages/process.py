"""What messages become: rows, what waits, what cannot be used. Pure, so that it runs anywhere."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from conformare_sink.messages.assembly import Parts, assemble, emission
from conformare_sink.messages.decode import Decoded, decode
from conformare_sink.messages.emission import Decision, EmissionKey, RunKey, decide
from conformare_sink.messages.envelope import Envelope, Rejected
from conformare_sink.messages.message import Message


class Settled(Protocol):
    """Runs on which there is nothing to decide any more."""

    @property
    def known(self) -> set[RunKey]:
        """They are there."""

    @property
    def purged(self) -> set[RunKey]:
        """They were deleted on purpose."""


Settle = Callable[[Collection[RunKey]], Settled]
"""Returns which of some runs are there already, and which were deleted on purpose."""


@dataclass(frozen=True)
class Processed:
    """What some messages became.

    Attributes:
        decoded: What they hold.
        open: Emissions of runs of which something waits elsewhere: they are not decided.
        decided: The other emissions by what becomes of them.
    """

    decoded: Decoded
    open: Mapping[EmissionKey, Parts]
    decided: Mapping[Decision, Mapping[EmissionKey, Parts]]

    @property
    def rejected(self) -> Sequence[Rejected]:
        """Messages that cannot be used."""
        return self.decoded.rejected


def process(
    messages: Iterable[Message],
    topic_prefix: str,
    settle: Settle,
    waits: Callable[[RunKey], bool],
    is_wanted: Callable[[Envelope], bool] = lambda _: True,
) -> Processed:
    """Decode messages, assemble their emissions and decide each.

    Args:
        messages: In any order; all that there are of a key, as far as they come together.
        topic_prefix: Put in front of every grain's topic.
        settle: Tells which runs are settled.
        waits: Tells whether anything of a run waits elsewhere.
        is_wanted: Tells whether a message is looked at.
    """
    decoded = decode(messages, topic_prefix)
    parts = assemble(filter(is_wanted, decoded.envelopes))
    opened = {key: those for key, those in parts.items() if waits(key.run)}
    closed = {key: those for key, those in parts.items() if key not in opened} if opened else parts
    return Processed(decoded, opened, decide_parts(closed, settle))


def decide_parts(
    parts: Mapping[EmissionKey, Parts], settle: Settle
) -> dict[Decision, dict[EmissionKey, Parts]]:
    """Decide emissions of which all is known; return them by what becomes of them.

    Args:
        parts: The parts of each.
        settle: Tells which runs are settled.
    """
    if not parts:
        return {decision: {} for decision in Decision}
    settled = settle({key.run for key in parts})
    emissions = [emission(key, those) for key, those in parts.items()]
    decided = decide(emissions, settled.known, settled.purged)
    return {
        decision: {one.key: parts[one.key] for one in those} for decision, those in decided.items()
    }
