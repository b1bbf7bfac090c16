"""One micro-batch lands: whole runs only, `runs` last, nothing lost. The body of `foreachBatch`.

Why a batch may be executed again, by this checkpoint or another, from any point (S2, S4 of
docs/design.md): `runs` is appended last and in one commit, so either all runs of the batch are known
to the next attempt, which then appends none of them, or none is, and what the first attempt left in
the other tables has been removed when the lake was opened again. What waits is a set of messages:
keeping one again changes nothing.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import pyarrow as pa

from conformare_sink.landing.pending import PendingMessages
from conformare_sink.landing.report import latencies_of
from conformare_sink.messages.assembly import assemble, emission, table_rows
from conformare_sink.messages.decode import decode
from conformare_sink.messages.emission import Decision, RunKey, decide
from conformare_sink.messages.envelope import Envelope, Rejected
from conformare_sink.messages.message import Message


class LandingPlace(Protocol):
    """Where runs land: a lake, or the rehearsal of one."""

    def known_runs(self, runs: Collection[RunKey]) -> set[RunKey]:
        """Return which of some runs are there already."""

    def purged_runs(self, runs: Collection[RunKey]) -> set[RunKey]:
        """Return which of some runs were deleted on purpose."""

    def land(self, rows: Mapping[str, pa.Table], runs: Collection[RunKey]) -> None:
        """Append the rows of some runs, those of `runs` last."""

    def quarantine(self, rejected: Collection[Rejected]) -> int:
        """Keep messages that could not be used; return how many were not there yet."""

    def keep_waiting(self, envelopes: Collection[Envelope]) -> None:
        """Keep messages whose emission is not complete."""


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

    def land(self, messages: Collection[Message], unusable: Sequence[Rejected] = ()) -> Landed:
        """Land the runs that are whole by these messages and what waits; keep the others.

        Args:
            messages: In any order; all that there are of a key, as far as they come together.
            unusable: Messages that were not read, and why.
        """
        decoded = decode(self.pending.take(messages), self._topic_prefix)
        parts = assemble(filter(self._is_wanted, decoded.envelopes))
        runs = {key.run for key in parts}
        decided = decide(
            [emission(key, of_emission) for key, of_emission in parts.items()],
            self._place.known_runs(runs),
            self._place.purged_runs(runs),
        )
        landing = [e.key for e in decided[Decision.LAND]]
        rows: Mapping[str, pa.Table] = {}
        if landing:
            rows = table_rows(decoded, [parts[key] for key in landing])
            self._place.land(rows, [key.run for key in landing])
        visible_at = time.time()
        rejected = [*decoded.rejected, *unusable]
        waiting = [e.key for e in decided[Decision.WAIT]]
        self._place.keep_waiting(
            self.pending.wait([e for key in waiting for e in parts[key].values()])
        )
        return Landed(
            emissions={decision: len(those) for decision, those in decided.items()},
            rows={grain: table.num_rows for grain, table in rows.items()},
            rejected=rejected,
            quarantined=self._place.quarantine(rejected),
            latencies=latencies_of((key.emission_id for key in landing), visible_at),
        )

    def _is_wanted(self, envelope: Envelope) -> bool:
        return not self._pipelines or envelope.pipeline in self._pipelines
