"""Messages of runs that the lake has, or that were purged, are left out before they are decoded.

What a replay reads is mostly there. Such a message is known by its head, and costs a twentieth of one
that is decoded. Its rows are not looked at: where they are damaged, it does not go to quarantine, for
its run is whole without it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import NamedTuple

from conformare_sink.messages.emission import Decision, EmissionKey, RunKey
from conformare_sink.messages.heads import emission_keys
from conformare_sink.messages.message import Message

FEWEST_MESSAGES = 2_000
"""Fewer are decoded in less time than it takes a store to say what has changed."""
LOOKED_AT_FIRST = 128
"""Messages, spread over all: most batches have no known run, and are not to wait for it."""
FEWEST_OF_THEM = 16
"""That many of those have to be of settled runs, so that all are looked at."""


class Settled(NamedTuple):
    """Runs on which there is nothing to decide any more."""

    known: set[RunKey]
    """They are there."""
    purged: set[RunKey]
    """They were deleted on purpose."""


Settle = Callable[[Collection[RunKey]], Settled]
"""Returns which of some runs are there already, and which were deleted on purpose."""


class Skipped(NamedTuple):
    """Messages without those of settled runs."""

    left: Sequence[Message]
    """The others, in their order."""
    decisions: dict[EmissionKey, Decision]
    """What became of the emissions of which messages were left out."""


def skip_settled(
    messages: Sequence[Message],
    topic_prefix: str,
    settle: Settle,
    waits: Callable[[RunKey], bool],
    is_wanted: Callable[[str], bool],
) -> Skipped:
    """Leave out messages of runs on which there is nothing to decide, if there are many of them.

    Args:
        messages: In any order.
        topic_prefix: Put in front of every grain's topic.
        settle: Tells which runs are settled.
        waits: Tells whether anything of a run waits elsewhere: it is decided with that.
        is_wanted: Tells whether runs of a pipeline are looked at.
    """
    if len(messages) < FEWEST_MESSAGES:
        return Skipped(messages, {})

    def decided(keys: Sequence[EmissionKey | None]) -> dict[EmissionKey, Decision]:
        there = [key for key in dict.fromkeys(keys) if key is not None]
        asked = [key for key in there if is_wanted(key.pipeline) and not waits(key.run)]
        found = settle({key.run for key in asked})
        known = {key: Decision.REPEAT for key in asked if key.run in found.known}
        return known | {key: Decision.PURGED for key in asked if key.run in found.purged}

    some = emission_keys(messages[:: len(messages) // LOOKED_AT_FIRST or 1], topic_prefix)
    decisions = decided(some)
    if sum(key in decisions for key in some) < FEWEST_OF_THEM:
        return Skipped(messages, {})
    keys = emission_keys(messages, topic_prefix)
    decisions = decided(keys)
    left = [one for one, key in zip(messages, keys, strict=True) if key not in decisions]
    return Skipped(left, decisions)
