"""One micro-batch lands: whole runs only, `runs` last, nothing lost. The body of `foreachBatch`.

Why a batch may be executed again, by this checkpoint or another, from any point (S2, S4 of
docs/design.md): `runs` is appended last and in one commit, so either all runs of the batch are known
to the next attempt, which then appends none of them, or none is, and what the first attempt left in
the other tables has been removed when the lake was opened again. What waits is a set of messages:
keeping one again changes nothing.
"""

from __future__ import annotations

import gc
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

import pyarrow as pa
from pyspark.sql import DataFrame

from conformare_sink.assembly import assemble, emission, table_rows
from conformare_sink.collect import Portion, portions
from conformare_sink.decode import decode
from conformare_sink.emission import Decision, RunKey, decide
from conformare_sink.envelope import Envelope, Rejected
from conformare_sink.message import Message
from conformare_sink.pending import PendingMessages
from conformare_sink.report import BatchReport, latencies_of


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

    def land(self, messages: Collection[Message]) -> Landed:
        """Land the runs that are whole by these messages and what waits; keep the others.

        Args:
            messages: In any order; all that there are of a key, as far as they come together.
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
        waiting = [e.key for e in decided[Decision.WAIT]]
        self._place.keep_waiting(
            self.pending.wait([e for key in waiting for e in parts[key].values()])
        )
        return Landed(
            emissions={decision: len(those) for decision, those in decided.items()},
            rows={grain: table.num_rows for grain, table in rows.items()},
            rejected=decoded.rejected,
            quarantined=self._place.quarantine(decoded.rejected),
            latencies=latencies_of((key.emission_id for key in landing), visible_at),
        )

    def _is_wanted(self, envelope: Envelope) -> bool:
        return not self._pipelines or envelope.pipeline in self._pipelines


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """Keep the collector of cycles from looking through a batch's objects again and again.

    There are hundreds of thousands, in no cycles; it would take a fifth of the batch's time.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@dataclass
class _Sums:
    """What the portions of a batch did together."""

    messages: int = 0
    emissions: Counter[Decision] = field(default_factory=Counter)
    rows: Counter[str] = field(default_factory=Counter)
    quarantined: int = 0
    latencies: list[float] = field(default_factory=list)
    sequences: set[tuple[str, int]] = field(default_factory=set)

    def add(self, portion: Portion, landed: Landed) -> None:
        """Add what a portion did."""
        self.messages += len(portion.messages)
        self.emissions.update(landed.emissions)
        self.rows.update(landed.rows)
        self.quarantined += landed.quarantined
        self.latencies += landed.latencies
        self.sequences |= portion.sequences


class BatchLanding:
    """Lands micro-batches, one at a time.

    Args:
        landing: Lands their messages.
        on_batch: Called with the report of every batch.
    """

    def __init__(self, landing: Landing, on_batch: Callable[[BatchReport], None]) -> None:
        self._landing = landing
        self._on_batch = on_batch

    def __call__(self, batch: DataFrame, batch_id: int) -> None:
        """Land one micro-batch.

        Args:
            batch: Messages as `with_sequences` returns them.
            batch_id: The stream's number of the batch.
        """
        began = time.monotonic()
        sums = _Sums()
        with _no_garbage_collection():
            for portion in portions(batch):
                sums.add(portion, self._landing.land(portion.messages))
        self._on_batch(
            BatchReport(
                batch_id=batch_id,
                messages=sums.messages,
                emissions=sums.emissions,
                rows=sums.rows,
                quarantined=sums.quarantined,
                pending=self._landing.pending.emissions,
                seconds=time.monotonic() - began,
                latencies=tuple(sums.latencies),
                sequences=tuple(sums.sequences),
            )
        )
