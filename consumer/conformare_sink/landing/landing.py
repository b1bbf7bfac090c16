"""Some messages land: whole runs only, `runs` last, nothing lost.

Why messages may be read again, from any point (S2, S4 of docs/design.md): `runs` is appended last and
in one commit, so either all runs of a portion are known to the next attempt, which then appends none
of them, or none is, and what the first attempt left in the other tables has been removed when the
lake was opened again. What waits and what is in quarantine are sets of messages: keeping one again
changes nothing. Both are kept before `runs` is appended, whose commit says how far the topics were
read.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import pyarrow as pa

from conformare_sink.landing.pending import PendingMessages
from conformare_sink.landing.report import latencies_of
from conformare_sink.messages.assembly import Parts, assemble, emission, table_rows
from conformare_sink.messages.decode import Decoded, decode
from conformare_sink.messages.emission import Decision, EmissionKey, RunKey, decide
from conformare_sink.messages.envelope import Envelope, Rejected
from conformare_sink.messages.message import Message, Place

logger = logging.getLogger("conformare_sink")

Offsets = Mapping[str, int]
"""How far the topics were read: the name of a log → the first offset that was not."""


class Settled(Protocol):
    """Runs on which there is nothing to decide any more."""

    @property
    def known(self) -> set[RunKey]:
        """They are there."""

    @property
    def purged(self) -> set[RunKey]:
        """They were deleted on purpose."""


class LandingPlace(Protocol):
    """Where runs land: a lake, or the rehearsal of one."""

    def settled(self, runs: Collection[RunKey]) -> Settled:
        """Return which of some runs are there already, and which were deleted on purpose."""

    def land(
        self, rows: Mapping[str, pa.Table], runs: Collection[RunKey], read: Offsets | None = None
    ) -> None:
        """Append the rows of some runs, those of `runs` last, with how far the topics were read."""

    def note_read(self, read: Offsets) -> None:
        """Note how far the topics were read, where no run landed."""

    def quarantine(self, rejected: Sequence[Rejected]) -> int:
        """Keep messages that could not be used; return how many were not there yet."""

    def keep_waiting(self, envelopes: Collection[Envelope]) -> None:
        """Keep messages whose emission is not complete."""

    def waiting_messages(self, places: Collection[Place]) -> Iterator[list[Message]]:
        """Return messages that were kept, with their values, in portions."""

    def stop_waiting(self, places: Collection[Place]) -> None:
        """Delete messages from those that wait."""


@dataclass(frozen=True)
class Landed:
    """What landing some messages did."""

    emissions: Mapping[Decision, int]
    """Emissions by what became of them."""
    rows: Mapping[str, int]
    """Rows appended by grain."""
    rejected: Sequence[Rejected]
    """Messages that cannot be used."""
    quarantined: int
    """How many of them were not in quarantine yet."""
    latencies: Sequence[float]
    """Of each run that landed, the seconds from its `record_run` call until readers see it."""


class Landing:
    """Lands messages in a lake.

    Args:
        place: Where the runs go.
        pending: What waits from one call to the next.
        topic_prefix: Put in front of every grain's topic.
        pipelines: Only runs of these are looked at; none for those of all.
    """

    def __init__(
        self,
        place: LandingPlace,
        pending: PendingMessages,
        topic_prefix: str,
        pipelines: Collection[str] = (),
    ) -> None:
        self.pending = pending
        self._place = place
        self._topic_prefix = topic_prefix
        self._pipelines = frozenset(pipelines)

    def land(
        self,
        messages: Collection[Message],
        read: Offsets | None = None,
        unreadable: Sequence[Rejected] = (),
    ) -> Landed:
        """Land the runs that are whole by these messages and what waits; keep the others.

        Args:
            messages: In any order; all that there are of a key, as far as they come together.
            read: How far the topics have been read with them.
            unreadable: Messages that could not even be read.
        """
        decoded = decode(messages, self._topic_prefix)
        rejected = [*unreadable, *decoded.rejected]
        parts = assemble([*filter(self._is_wanted, decoded.envelopes), *self._waiting(decoded)])
        settled = self._place.settled({key.run for key in parts})
        emissions = [emission(key, of_emission) for key, of_emission in parts.items()]
        decided = decide(emissions, settled.known, settled.purged)
        whole = [e.key for e in decided[Decision.LAND]]
        landing, rows = self._rows(decoded, {key: parts[key] for key in whole})
        waiting = [*(e.key for e in decided[Decision.WAIT]), *(set(whole) - set(landing))]
        n_quarantined = self._place.quarantine(rejected)
        self._place.keep_waiting(
            self.pending.wait([e for key in waiting for e in parts[key].values()])
        )
        if landing:
            self._place.land(rows, [key.run for key in landing], read)
        elif read:
            self._place.note_read(read)
        counts = {decision: len(those) for decision, those in decided.items()}
        return Landed(
            emissions=counts | {Decision.LAND: len(landing), Decision.WAIT: len(waiting)},
            rows={grain: table.num_rows for grain, table in rows.items()},
            rejected=rejected,
            quarantined=n_quarantined,
            latencies=latencies_of((key.emission_id for key in landing), time.time()),
        )

    def set_aside(self, moment: int, cause: str) -> int:
        """Put emissions into quarantine that have waited too long.

        Args:
            moment: Those whose last message came before it, in microseconds since 1970.
            cause: Why they are there, for a person.

        Returns:
            How many emissions there were.
        """
        old = self.pending.older_than(moment)
        envelopes = [envelope for those in old for envelope in those]
        places = [envelope.message.place for envelope in envelopes]
        for messages in self._place.waiting_messages(places):
            self._place.quarantine([Rejected(message, cause) for message in messages])
            self._place.stop_waiting([message.place for message in messages])
        self.pending.forget(envelopes)
        return len(old)

    def _waiting(self, decoded: Decoded) -> list[Envelope]:
        """Return what waits for the same runs, but what came again just now."""
        taken = self.pending.take({envelope.run_id for envelope in decoded.envelopes})
        came = {envelope.message.place for envelope in decoded.envelopes} if taken else set()
        return [envelope for envelope in taken if envelope.message.place not in came]

    def _rows(
        self, decoded: Decoded, whole: Mapping[EmissionKey, Parts]
    ) -> tuple[list[EmissionKey], Mapping[str, pa.Table]]:
        """Return the rows of whole emissions, and of which: values of what waited may be gone."""
        light = [e for parts in whole.values() for e in parts.values() if e.at < 0]
        if not light:
            return list(whole), table_rows(decoded, list(whole.values()))
        again = decode(self._values_of(light), self._topic_prefix)
        there = assemble(again.envelopes)
        landing: list[EmissionKey] = []
        fresh: list[Parts] = []
        fetched: list[Parts] = []
        for key, parts in whole.items():
            absent = [piece for piece, envelope in parts.items() if envelope.at < 0]
            found = {p: e for p, e in there.get(key, {}).items() if p in absent}
            if len(found) < len(absent):
                logger.warning(
                    "a message of an emission that waits is gone from `pending`: %s", key
                )
                continue
            landing.append(key)
            fetched.append(found)
            fresh.append({p: e for p, e in parts.items() if e.at >= 0})
        both = [table_rows(decoded, fresh), table_rows(again, fetched)]
        grains = [grain for rows in both for grain in rows]
        return landing, {
            grain: pa.concat_tables([rows[grain] for rows in both if grain in rows])
            for grain in dict.fromkeys(grains)
        }

    def _values_of(self, light: Collection[Envelope]) -> list[Message]:
        """Return messages that waited, with their values: from memory, or else from the lake."""
        places = [envelope.message.place for envelope in light]
        messages = {message.place: message for message in self.pending.values(places)}
        absent = [place for place in places if place not in messages]
        if absent:
            for portion in self._place.waiting_messages(absent):
                messages.update({message.place: message for message in portion})
        return list(messages.values())

    def _is_wanted(self, envelope: Envelope) -> bool:
        return not self._pipelines or envelope.pipeline in self._pipelines
