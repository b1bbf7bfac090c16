"""A micro-batch lands: portion by portion, with one report at its end."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Protocol

import numpy as np
from pyspark.sql import DataFrame

from conformare_sink.landing.landing import Landed, Landing, in_the_end
from conformare_sink.landing.place import FilesPlace, Found, Offsets
from conformare_sink.landing.report import BatchReport, Times
from conformare_sink.messages.emission import Decision, EmissionKey, RunKey, identities_of
from conformare_sink.messages.envelope import Envelope, Rejected
from conformare_sink.messages.headers import Sequences, by_producer, together
from conformare_sink.messages.process import no_garbage_collection
from conformare_sink.spark.collect import Collector
from conformare_sink.spark.dealing import Ranges, count
from conformare_sink.spark.portion import Portion

LOOK_SECONDS = 3600.0
"""How often emissions are looked for that have waited too long."""
MOST_SET_ASIDE = 10_000
"""Emissions that are set aside behind one batch: it takes seconds. Others follow behind the next."""
INCOMPLETE = "incomplete emission"
"""What the cause begins with of messages that have waited too long."""


@dataclass
class _Sums:
    """What the portions of a batch did together."""

    messages: int = 0
    decisions: dict[EmissionKey, Decision] = field(default_factory=dict)
    counts: Counter[Decision] = field(default_factory=Counter)
    """Emissions that others have decided."""
    identities: dict[Decision, list[bytes]] = field(default_factory=dict)
    """Which ones, where somebody wants to know."""
    rows: Counter[str] = field(default_factory=Counter)
    quarantined: int = 0
    latencies: Times = field(default_factory=lambda: np.empty(0))
    sequences: Sequences = field(default_factory=dict)

    def see(self, portion: Portion) -> None:
        """Add what a portion has."""
        self.messages += len(portion.messages) + len(portion.too_large)
        self.sequences = together(self.sequences, by_producer(portion.sequences))

    def see_found(self, found: Found) -> None:
        """Add what others found."""
        self.messages += found.messages
        self.identities = {d: [*those] for d, those in found.identities.items()}
        self.sequences = together(self.sequences, found.sequences)

    def decided(self) -> dict[Decision, list[bytes]]:
        """Return which emissions became what."""
        own = identities_of(self.decisions)
        return {d: [*own.get(d, ()), *self.identities.get(d, ())] for d in Decision}

    def add(self, landed: Landed) -> None:
        """Add what a part of a portion did."""
        self.counts += landed.counts
        self.decisions = in_the_end(self.decisions, landed.decisions)
        self.rows.update(landed.rows)
        self.quarantined += landed.quarantined
        self.latencies = np.concatenate([self.latencies, landed.latencies])


class Dealt(Protocol):
    """What others made of a batch."""

    @property
    def found(self) -> Found:
        """What they found."""

    @property
    def waiting(self) -> Iterable[Envelope]:
        """Messages that have not landed, without values."""

    @property
    def left(self) -> DataFrame | None:
        """Messages that they leave to the driver."""


class Others(Protocol):
    """Others that process large batches: Spark's executors."""

    @property
    def place(self) -> FilesPlace:
        """Where runs land by files that they write."""

    def process(self, ranges: Ranges, waiting: Collection[RunKey]) -> Dealt | None:
        """Process a batch; None where it is not for them.

        Args:
            ranges: Where its messages are in Kafka.
            waiting: Runs of which something waits.
        """


class BatchLanding:
    """Lands micro-batches, one at a time.

    Args:
        landing: Lands their messages.
        collector: Collects them.
        on_batch: Called with the report of every batch that had something.
        most_pending_days: An emission that has waited for longer is set aside; None for none.
        on_decided: Called with what each batch has decided: `emission_identity` of emissions.
        others: Process large batches.
    """

    def __init__(
        self,
        landing: Landing,
        collector: Collector,
        on_batch: Callable[[BatchReport], None],
        most_pending_days: float | None = None,
        on_decided: Callable[[Mapping[Decision, Collection[bytes]]], None] | None = None,
        others: Others | None = None,
    ) -> None:
        self._landing = landing
        self._others = others
        self._collector = collector
        self._on_batch = on_batch
        self._most_pending_days = most_pending_days
        self._on_decided = on_decided
        self._look_for_old_at = 0.0

    def __call__(
        self, batch: DataFrame, batch_id: int, ranges: Ranges, read: Offsets | None = None
    ) -> None:
        """Land one micro-batch.

        Args:
            batch: Messages as `KafkaSource` has them.
            batch_id: The stream's number of the batch.
            ranges: Where they are in Kafka.
            read: How far the topics have been read with it.
        """
        began = time.monotonic()
        sums = _Sums()
        with no_garbage_collection():
            if count(ranges):
                self._land(batch, ranges, read, sums)
        if self._on_decided is not None:
            self._on_decided(sums.decided())
        n_set_aside = self._set_old_aside()
        if not sums.messages and not n_set_aside:
            return  # Spark begins every stream with a batch, whether or not there is something
        self._on_batch(
            BatchReport(
                batch_id=batch_id,
                messages=sums.messages,
                emissions=Counter(sums.decisions.values()) + sums.counts,
                rows=sums.rows,
                quarantined=sums.quarantined,
                set_aside=n_set_aside,
                pending=self._landing.pending.emissions,
                seconds=time.monotonic() - began,
                latencies=sums.latencies,
                sequences=sums.sequences,
            )
        )

    def _land(self, batch: DataFrame, ranges: Ranges, read: Offsets | None, sums: _Sums) -> None:
        """Land a batch, by others or portion by portion."""
        waiting = self._landing.pending.runs()
        if self._others is not None and (dealt := self._others.process(ranges, waiting)):
            sums.see_found(dealt.found)
            noted = read if dealt.left is None else None
            place = self._others.place
            sums.add(self._landing.land_found(dealt.found, dealt.waiting, place, noted))
            if dealt.left is not None:
                self._land_portions(self._collector.dealt(dealt.left), read, sums)
        else:
            self._land_portions(self._collector.portions(batch, ranges), read, sums)

    def _land_portions(
        self, portions: Iterator[Portion], read: Offsets | None, sums: _Sums
    ) -> None:
        """Land portions; how far was read is noted when all of them have landed."""
        is_noted = False
        for portion in portions:
            is_noted = self._land_portion(portion, read, sums)
            del portion  # otherwise it is held until the next one is there
        if not is_noted:
            self._landing.land([], read)

    def _land_portion(self, portion: Portion, read: Offsets | None, sums: _Sums) -> bool:
        """Land a portion; return whether how far was read is noted with it."""
        sums.see(portion)
        unreadable: Sequence[Rejected] = portion.too_large
        parts = [*self._landing.in_parts(portion.messages)]
        is_noted = portion.is_whole and len(parts) == 1
        for part in parts:
            sums.add(self._landing.land(part, read if is_noted else None, unreadable))
            unreadable = ()
        return is_noted

    def _set_old_aside(self) -> int:
        """Set aside what has waited too long, once an hour; return how many emissions."""
        now = time.monotonic()
        if self._most_pending_days is None or now < self._look_for_old_at:
            return 0
        moment = datetime.now(timezone.utc) - timedelta(days=self._most_pending_days)
        cause = f"{INCOMPLETE}: the rest did not come within {self._most_pending_days:g} days"
        n_set_aside = self._landing.set_aside(moment, cause, MOST_SET_ASIDE)
        if n_set_aside < MOST_SET_ASIDE:
            self._look_for_old_at = now + LOOK_SECONDS
        return n_set_aside
