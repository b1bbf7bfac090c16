"""What messages become: rows, what waits, what cannot be used. Pure, so that it runs anywhere."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from conformare_sink.messages.assembly import Parts, assemble, emission
from conformare_sink.messages.decode import Decoded, decode
from conformare_sink.messages.emission import Decision, EmissionKey, RunKey, decide
from conformare_sink.messages.envelope import Rejected
from conformare_sink.messages.framing import SchemaIds, as_they_came, in_one_framing
from conformare_sink.messages.message import Message
from conformare_sink.messages.skipping import Settle, skip_settled


@dataclass(frozen=True)
class Processed:
    """What some messages became.

    Attributes:
        decoded: What they hold.
        rejected: Messages that cannot be used, as they came.
        unresolved: Schema ids of some of them, of which nothing is known.
        open: Emissions of runs of which something waits elsewhere: they are not decided.
        decided: The other emissions by what becomes of them; without parts, where these were left
            out before they were decoded.
    """

    decoded: Decoded
    rejected: Sequence[Rejected]
    unresolved: frozenset[int]
    open: Mapping[EmissionKey, Parts]
    decided: Mapping[Decision, Mapping[EmissionKey, Parts]]


def process(
    messages: Sequence[Message],
    topic_prefix: str,
    settle: Settle,
    waits: Callable[[RunKey], bool],
    is_wanted: Callable[[str], bool] = lambda _: True,
    *,
    ids: SchemaIds | None = None,
    in_full: bool = False,
) -> Processed:
    """Decode messages, assemble their emissions and decide each.

    Args:
        messages: In any order; all that there are of a key, as far as they come together.
        topic_prefix: Put in front of every grain's topic.
        settle: Tells which runs are settled.
        waits: Tells whether anything of a run waits elsewhere.
        is_wanted: Tells whether runs of a pipeline are looked at.
        ids: What a schema registry has told; None where there is no registry.
        in_full: Whether messages are decoded whose run is settled, too: only so is known of each
            whether it can be used.
    """
    framed = in_one_framing(messages, ids)
    left = framed.messages
    skipped: Mapping[EmissionKey, Decision] = {}
    if not in_full:
        left, skipped = skip_settled(left, topic_prefix, settle, waits, is_wanted)
    decoded = decode(left, topic_prefix)
    parts = assemble(one for one in decoded.envelopes if is_wanted(one.pipeline))
    opened = {key: those for key, those in parts.items() if waits(key.run)}
    closed = {key: those for key, those in parts.items() if key not in opened} if opened else parts
    decided = decide_parts(closed, settle)
    for key, decision in skipped.items():
        decided[decision].setdefault(key, {})
    rejected = [*framed.rejected, *as_they_came(decoded.rejected, messages)]
    return Processed(decoded, rejected, framed.unresolved, opened, decided)


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


@contextmanager
def no_garbage_collection() -> Iterator[None]:
    """Keep the collector of cycles from looking through the same objects again and again.

    There are hundreds of thousands, in no cycles; it would take a fifth of a batch's time.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
