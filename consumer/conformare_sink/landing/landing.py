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
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import islice

import numpy as np
import pyarrow as pa

from conformare_schemas import EMISSION_COLUMN, RUN_GRAINS, SOURCE_RISKS
from conformare_sink.landing.pending import PendingMessages
from conformare_sink.landing.place import FilesPlace, Found, LandingPlace, Offsets
from conformare_sink.landing.report import Times, latencies_of, times_of
from conformare_sink.landing.rows import WholeEmissions
from conformare_sink.messages.assembly import Parts, assemble
from conformare_sink.messages.declarations import declaration
from conformare_sink.messages.decode import NOTHING_DECODED, Decoded
from conformare_sink.messages.emission import Decision, EmissionKey
from conformare_sink.messages.envelope import Envelope, Rejected
from conformare_sink.messages.framing import SchemaIds, SchemaRegistry
from conformare_sink.messages.message import Message
from conformare_sink.messages.parts import in_parts
from conformare_sink.messages.process import Processed, decide_parts, process

logger = logging.getLogger("conformare_sink")


@dataclass(frozen=True)
class Landed:
    """What landing some messages did."""

    decisions: Mapping[EmissionKey, Decision]
    """What became of each emission."""
    rows: Mapping[str, int]
    """Rows appended by grain."""
    rejected: Sequence[Rejected]
    """Messages that cannot be used."""
    quarantined: int
    """How many of them were not in quarantine yet."""
    latencies: Times
    """Of each run that landed, the seconds from its `record_run` call until readers see it."""
    counts: Counter[Decision] = field(default_factory=Counter)
    """Emissions that others have decided."""


def in_the_end(
    before: Mapping[EmissionKey, Decision], now: Mapping[EmissionKey, Decision]
) -> dict[EmissionKey, Decision]:
    """Return what became of emissions, some of which came in two parts.

    Args:
        before: What became of those that came first.
        now: What became of those that came then.
    """
    # What is sent again after it has landed is no other emission.
    changed = {
        key: decision
        for key, decision in now.items()
        if before.get(key, Decision.WAIT) is Decision.WAIT
    }
    return {**before, **changed}


@dataclass
class _Done:
    """What has been done so far with some messages."""

    read: Offsets | None
    """What is still to be noted of how far the topics were read."""
    decisions: dict[EmissionKey, Decision] = field(default_factory=dict)
    rows: Counter[str] = field(default_factory=Counter)
    rejected: list[Rejected] = field(default_factory=list)
    n_quarantined: int = 0
    latencies: Times = field(default_factory=lambda: np.empty(0))


class Landing:
    """Lands messages in a lake.

    Args:
        place: Where the runs go.
        pending: What waits from one call to the next.
        topic_prefix: Put in front of every grain's topic.
        pipelines: Only runs of these are looked at; none for those of all.
        registry: Tells what schema ids mean; None where there is no registry.
    """

    def __init__(
        self,
        place: LandingPlace,
        pending: PendingMessages,
        topic_prefix: str,
        pipelines: Collection[str] = (),
        registry: SchemaRegistry | None = None,
    ) -> None:
        self._registry = registry
        self.pending = pending
        self._place = place
        self._topic_prefix = topic_prefix
        self._pipelines = frozenset(pipelines)

    def in_parts(self, messages: Sequence[Message]) -> Iterator[list[Message]]:
        """Return messages in parts of bounded rows, to be landed one after the other."""
        return in_parts(messages, self._topic_prefix, ids=self._ids())

    def land(
        self,
        messages: Sequence[Message],
        read: Offsets | None = None,
        unreadable: Sequence[Rejected] = (),
        *,
        in_full: bool = False,
    ) -> Landed:
        """Land the runs that are whole by these messages and what waits; keep the others.

        Args:
            messages: In any order; all that there are of a key, as far as they come together.
            read: How far the topics have been read with them.
            unreadable: Messages that could not even be read.
            in_full: Whether messages are decoded whose run is settled, too: only so is known of
                each whether it can be used.
        """
        done = _Done(read)
        settle = self._place.settled
        found = self._processed(messages, in_full=in_full)
        while self._want(found.unresolved):
            found = self._processed(messages, in_full=in_full)
        self._reject([*unreadable, *found.rejected], done)
        self._declare(found.decoded.declared, done)
        joined = decide_parts(self._with_what_waits(found.open), settle)
        return self._landed(_both(found.decided, joined), found.decoded, done)

    def land_found(
        self, found: Found, waiting: Iterable[Envelope], place: FilesPlace, read: Offsets | None
    ) -> Landed:
        """Land runs whose rows are in files, and what is whole by messages that wait.

        Args:
            found: What others found in some messages.
            waiting: Those of them that have not landed, without values: these are in files.
            place: Takes the files.
            read: How far the topics have been read with them.
        """
        done = _Done(read)
        done.n_quarantined = place.quarantine_files(found.files, found.rejected)
        self._want(found.unresolved)
        place.keep_waiting_files(found.files)
        parts = self._with_what_waits(assemble(waiting))
        if found.landed:
            place.land_files(found.files, found.landed, None if parts else read)
            done.read = read if parts else None
            grains = {grain: found.files[grain] for grain in RUN_GRAINS if grain in found.files}
            done.rows.update({g: sum(one.n_rows for one in files) for g, files in grains.items()})
            done.latencies = latencies_of(found.recorded, time.time())
        decided = decide_parts(parts, self._place.settled)
        if purged := decided[Decision.PURGED]:
            # Nobody knew of them when the files were written.
            places = [one.message.place for those in purged.values() for one in those.values()]
            self._place.stop_waiting(places)
        landed = self._landed(decided, NOTHING_DECODED, done)
        return replace(landed, counts=Counter(found.decisions))

    def set_aside(self, moment: datetime, cause: str, most: int) -> int:
        """Put emissions into quarantine that have waited too long.

        Args:
            moment: Those of which nothing has been kept since.
            cause: Why they are there, for a person.
            most: How many at most.

        Returns:
            How many emissions there were.
        """
        waiting = (
            (key, [envelope.message.place for envelope in self.pending.of(key)])
            for key in self._place.waiting_since(moment)
        )
        places = dict(islice(((key, those) for key, those in waiting if those), most))
        wanted = [place for those in places.values() for place in those]
        for messages in self._place.waiting_messages(wanted):
            self._place.quarantine([Rejected(message, cause) for message in messages])
            self._place.stop_waiting([message.place for message in messages])
        for key in places:
            self.pending.forget(key)
        return len(places)

    def _landed(
        self,
        decided: Mapping[Decision, Mapping[EmissionKey, Parts]],
        decoded: Decoded,
        done: _Done,
    ) -> Landed:
        """Land what is whole and keep what is not, however often a value turns out to be gone."""
        while any(decided.values()):
            for decision, parts in decided.items():
                done.decisions.update(dict.fromkeys(parts, decision))
            self._keep_waiting(decided[Decision.WAIT])
            lacking = self._land_whole(decided[Decision.LAND], decoded, done)
            # Without what is gone, another emission of the run may be the one that lands.
            runs = {key.run for key in lacking}
            others = {
                key: p for parts in decided.values() for key, p in parts.items() if key.run in runs
            }
            decided = decide_parts(others | lacking, self._place.settled)
        if done.read:
            self._place.note_read(done.read)
        self._settle(done.decisions)
        return Landed(done.decisions, done.rows, done.rejected, done.n_quarantined, done.latencies)

    def _processed(self, messages: Sequence[Message], *, in_full: bool) -> Processed:
        return process(
            messages,
            self._topic_prefix,
            self._place.settled,
            self.pending.has,
            self._is_wanted,
            ids=self._ids(),
            in_full=in_full,
        )

    def _reject(self, rejected: Sequence[Rejected], done: _Done) -> None:
        done.rejected += rejected
        done.n_quarantined += self._place.quarantine(rejected)

    def _declare(self, rows: pa.Table, done: _Done) -> None:
        """Land declarations: no run has to be there, and so no pipeline can be chosen."""
        if self._pipelines or not rows.num_rows:
            return
        decided = self._place.declare(rows)
        new = [one for one, decision in decided.items() if decision is Decision.LAND]
        done.decisions.update({declaration(one): fate for one, fate in decided.items()})
        counts = Counter(rows.column(EMISSION_COLUMN).to_pylist())
        done.rows.update({SOURCE_RISKS: sum(counts[one] for one in new)} if new else {})
        done.latencies = np.concatenate([done.latencies, latencies_of(times_of(new), time.time())])

    def _with_what_waits(self, came: Mapping[EmissionKey, Parts]) -> dict[EmissionKey, Parts]:
        parts = dict(came)
        for key, those in came.items():
            if waiting := self.pending.of(key):
                # What came again is first: it has its value.
                parts |= assemble([*those.values(), *waiting])
        return parts

    def _keep_waiting(self, waiting: Mapping[EmissionKey, Parts]) -> None:
        self._place.keep_waiting(
            [new for key, parts in waiting.items() for new in self.pending.new(key, parts.values())]
        )
        for key, parts in waiting.items():
            self.pending.wait(key, parts.values())

    def _land_whole(
        self, whole: Mapping[EmissionKey, Parts], decoded: Decoded, done: _Done
    ) -> dict[EmissionKey, Parts]:
        """Land whole emissions; return what is left of those of which a value is gone."""
        lacking: dict[EmissionKey, Parts] = {}
        emissions = WholeEmissions(whole, decoded, self.pending, self._place, self._topic_prefix)
        for portion in emissions.rows():
            self._reject(portion.rejected, done)
            lacking |= portion.lacking
            if not portion.emissions:
                continue
            read = done.read if portion.is_last and not lacking else None
            self._place.land(portion.rows, [key.run for key in portion.emissions], read)
            if read:
                done.read = None
            done.rows.update({grain: rows.num_rows for grain, rows in portion.rows.items()})
            times = times_of(key.emission_id for key in portion.emissions)
            done.latencies = np.concatenate([done.latencies, latencies_of(times, time.time())])
        if lacking:
            logger.warning(
                "messages that wait are gone from the table `pending`: of %d emission(s), such as %r",
                len(lacking),
                next(iter(lacking)),
            )
        return lacking

    def _settle(self, decisions: dict[EmissionKey, Decision]) -> None:
        """Let nothing wait of runs that are decided; what did came second, too."""
        for key, decision in list(decisions.items()):
            if decision is not Decision.WAIT:
                fate = Decision.PURGED if decision is Decision.PURGED else Decision.REPEAT
                for other in self.pending.settle(key.run):
                    decisions.setdefault(other, fate)

    def _ids(self) -> SchemaIds | None:
        return None if self._registry is None else self._registry.known()

    def _want(self, ids: Collection[int]) -> bool:
        return self._registry is not None and bool(ids) and self._registry.want(ids)

    def _is_wanted(self, pipeline: str) -> bool:
        return not self._pipelines or pipeline in self._pipelines


def _both(
    first: Mapping[Decision, Mapping[EmissionKey, Parts]],
    second: Mapping[Decision, Mapping[EmissionKey, Parts]],
) -> dict[Decision, dict[EmissionKey, Parts]]:
    return {decision: {**first[decision], **second[decision]} for decision in Decision}
