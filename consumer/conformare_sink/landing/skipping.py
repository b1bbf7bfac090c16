"""Messages of runs that the lake has, or that were purged, are left out before they are decoded.

What a replay reads is mostly there. Such a message is known by its head, and costs a twentieth of one
that is decoded. Its rows are not looked at: where they are damaged, it does not go to quarantine, for
its run is whole without it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, NamedTuple

from conformare_sink.messages.emission import Decision, EmissionKey, RunKey
from conformare_sink.messages.heads import emission_keys
from conformare_sink.messages.message import Message

if TYPE_CHECKING:
    from conformare_sink.landing.landing import Settled

FEWEST_MESSAGES = 2_000
"""Fewer are decoded in less time than it takes a store to say what has changed."""
LOOKED_AT_FIRST = 128
"""Messages, spread over all: most batches have no known run, and are not to wait for it."""
FEWEST_OF_THEM = 16
"""That many of those have to be of settled runs, so that all are looked at."""


class Skipped(NamedTuple):
    """Messages without those of settled runs."""

    left: Sequence[Message]
    """The others, in their order."""
    decisions: dict[EmissionKey, Decision]
    """What became of the emissions of which messages were left out."""


def skip_settled(
    messages: Sequence[Message],
    topic_prefix: str,
    settled: Callable[[Collection[RunKey]], Settled],
    pipelines: Collection[str] = (),
) -> Skipped:
    """Leave out messages of runs on which there is nothing to decide, if there are many of them.

    Args:
        messages: In any order.
        topic_prefix: Put in front of every grain's topic.
        settled: Returns which of some runs are there, and which were purged.
        pipelines: Runs of others are not looked at; none for those of all.
    """
    if len(messages) < FEWEST_MESSAGES:
        return Skipped(messages, {})
    step = max(1, len(messages) // LOOKED_AT_FIRST)
    some = emission_keys(messages[::step], topic_prefix)
    decisions = _decisions(some, settled, pipelines)
    if sum(key in decisions for key in some) < FEWEST_OF_THEM:
        return Skipped(messages, {})
    keys = emission_keys(messages, topic_prefix)
    decisions = _decisions(keys, settled, pipelines)
    left = [one for one, key in zip(messages, keys, strict=True) if key not in decisions]
    return Skipped(left, decisions)


def _decisions(
    keys: Sequence[EmissionKey | None],
    settled: Callable[[Collection[RunKey]], Settled],
    pipelines: Collection[str],
) -> dict[EmissionKey, Decision]:
    """Return what becomes of those emissions that are of settled runs."""
    wanted = [
        key
        for key in dict.fromkeys(keys)
        if key is not None and (not pipelines or key.pipeline in pipelines)
    ]
    found = settled({key.run for key in wanted})
    decisions: dict[EmissionKey, Decision] = {}
    for key in wanted:
        if key.run in found.purged:
            decisions[key] = Decision.PURGED
        elif key.run in found.known:
            decisions[key] = Decision.REPEAT
    return decisions
