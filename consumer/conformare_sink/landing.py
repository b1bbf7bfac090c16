"""One micro-batch lands: whole runs only, `runs` last, nothing lost. The body of `foreachBatch`.

Why a batch may be executed again, by this checkpoint or another, from any point (S2, S4 of
docs/design.md): `runs` is appended last and in one commit, so either all runs of the batch are known
to the next attempt, which then appends none of them, or none is, and what the first attempt left in
the other tables has been removed when the lake was opened again. What is pending is a function of
the batch before and of this batch's messages alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from conformare_schemas import CHILD_GRAINS, table_columns
from conformare_sink.assembly import collect_emissions, key_frame, rows_of
from conformare_sink.decode import decode
from conformare_sink.emission import Decision, Emission, RunKey, decide
from conformare_sink.pending import PendingMessages

ONE_FILE_ROWS = 50_000
"""Up to so many rows a table gets one file per batch, not one per partition."""


@dataclass(frozen=True)
class BatchReport:
    """What one micro-batch did."""

    batch_id: int
    emissions: Mapping[Decision, int]
    """Emissions by what became of them."""
    rows: Mapping[str, int]
    """Rows appended by grain."""
    quarantined: int
    """Messages that could not be used."""

    def summary(self) -> str:
        """Return the report as a line for a person."""
        counts = [f"{n} run(s) {decision.value}" for decision, n in self.emissions.items() if n]
        if self.quarantined:
            counts.append(f"{self.quarantined} message(s) quarantined")
        return f"batch {self.batch_id}: {', '.join(counts) or 'nothing new'}"


class LandingPlace(Protocol):
    """Where runs land: a lake, or the rehearsal of one."""

    def known_runs(self, runs: Collection[RunKey]) -> set[RunKey]:
        """Return which of some runs are there already."""

    def landing(self, runs: Collection[RunKey]) -> AbstractContextManager[None]:
        """Note which runs are about to be appended, until they all are."""

    def append(self, table: str, rows: DataFrame) -> None:
        """Append rows to a table in one commit."""

    def quarantine(self, bad: DataFrame) -> None:
        """Keep messages that could not be used."""


class Landing:
    """Lands micro-batches in a lake, one at a time.

    Args:
        lake: Where the runs go.
        pending: What waits from batch to batch.
        topic_prefix: Put in front of every grain's topic.
        on_batch: Called with the report of every batch that was not empty.
    """

    def __init__(
        self,
        lake: LandingPlace,
        pending: PendingMessages,
        topic_prefix: str,
        on_batch: Callable[[BatchReport], None],
    ) -> None:
        self._lake = lake
        self._pending = pending
        self._topic_prefix = topic_prefix
        self._on_batch = on_batch

    def __call__(self, batch: DataFrame, batch_id: int) -> None:
        """Land one micro-batch.

        Args:
            batch: Messages as `decode` returns them.
            batch_id: The stream's number of the batch.
        """
        waiting = self._pending.before(batch_id)
        if waiting is not None:
            batch = batch.unionByName(decode(waiting, self._topic_prefix))
        batch.persist()
        try:
            self._on_batch(self._land(batch_id, batch))
        finally:
            batch.unpersist()

    def _land(self, batch_id: int, batch: DataFrame) -> BatchReport:
        emissions, quarantined = collect_emissions(batch)
        decided = decide(emissions, self._lake.known_runs({e.key.run for e in emissions}))
        landing, waiting = decided[Decision.LAND], decided[Decision.WAIT]
        if landing:
            with self._lake.landing([e.key.run for e in landing]):
                rows = self._append_runs(batch, landing)
        else:
            rows = {}
        if quarantined:
            self._lake.quarantine(batch.where(F.col("cause").isNotNull()))
        self._pending.keep(batch_id, batch, waiting)
        return BatchReport(
            batch_id,
            {decision: len(those) for decision, those in decided.items()},
            rows,
            quarantined,
        )

    def _append_runs(self, batch: DataFrame, landing: Collection[Emission]) -> dict[str, int]:
        """Append every grain's rows, `runs` when all others are there; return rows by grain."""
        rows: Counter[str] = Counter()
        for emission in landing:
            rows.update(emission.row_counts or {})
        keys = key_frame(batch.sparkSession, [emission.key for emission in landing])
        repeated = any(emission.repeated for emission in landing)

        def append(grain: str) -> None:
            of_grain = rows_of(grain, batch, keys, repeated=repeated)
            table_rows = of_grain.select(*(column.name for column in table_columns(grain)))
            few = rows[grain] <= ONE_FILE_ROWS
            self._lake.append(grain, table_rows.coalesce(1) if few else table_rows)

        with ThreadPoolExecutor(len(CHILD_GRAINS), "append") as pool:
            children = [pool.submit(append, grain) for grain in CHILD_GRAINS if grain in rows]
        for child in children:
            child.result()
        append("runs")
        return dict(rows)
