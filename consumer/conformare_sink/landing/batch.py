"""A micro-batch lands: portion by portion, with one report at its end."""

from __future__ import annotations

import gc
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from pyspark.sql import DataFrame

from conformare_sink.landing.landing import Landed, Landing
from conformare_sink.landing.report import BatchReport
from conformare_sink.messages.emission import Decision
from conformare_sink.spark.collect import Collector
from conformare_sink.spark.dealing import Ranges
from conformare_sink.spark.portion import Portion


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
        self.messages += len(portion.messages) + len(portion.too_large)
        self.emissions.update(landed.emissions)
        self.rows.update(landed.rows)
        self.quarantined += landed.quarantined
        self.latencies += landed.latencies
        self.sequences |= portion.sequences


class BatchLanding:
    """Lands micro-batches, one at a time.

    Args:
        landing: Lands their messages.
        collector: Collects them.
        ranges: Tells where the messages of a batch are in Kafka, by its number.
        on_batch: Called with the report of every batch.
    """

    def __init__(
        self,
        landing: Landing,
        collector: Collector,
        ranges: Callable[[int], Ranges],
        on_batch: Callable[[BatchReport], None],
    ) -> None:
        self._landing = landing
        self._collector = collector
        self._ranges = ranges
        self._on_batch = on_batch

    def __call__(self, batch: DataFrame, batch_id: int) -> None:
        """Land one micro-batch.

        Args:
            batch: Messages as `KafkaSource` has them.
            batch_id: The stream's number of the batch.
        """
        began = time.monotonic()
        sums = _Sums()
        with _no_garbage_collection():
            for portion in self._collector.portions(batch, self._ranges(batch_id)):
                sums.add(portion, self._landing.land(portion.messages, portion.too_large))
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
