"""A streaming query that lands micro-batches, and that is never stopped in the middle of one."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from pyspark.errors import StreamingQueryException
from pyspark.sql import DataFrame

from conformare_sink.errors import StreamFailedError, first_line
from conformare_sink.kafka.offsets import PartitionOffsets, from_spark
from conformare_sink.spark.dealing import Ranges

Land = Callable[[DataFrame, int, Ranges], None]
"""Lands a micro-batch: its messages, its number, and where they are in Kafka."""


class LandingQuery:
    """A running query.

    Its checkpoint is a folder of this machine that ends with it: where the sink resumes, the lake
    knows. Spark's executors never see it.

    Args:
        messages: A streaming frame, as `KafkaSource.stream` returns it.
        starts: The offset at which each partition is begun.
        land: Called with every micro-batch.
        interval: How often a batch begins, such as `1 second`; None to take everything that is
            there and end.
    """

    def __init__(
        self, messages: DataFrame, starts: PartitionOffsets, land: Land, interval: str | None
    ) -> None:
        self._at = starts
        self._land = land
        self._fault: Exception | None = None
        self._landing = threading.Lock()
        self._stopping = False
        self._progress: tuple[int, PartitionOffsets] = (-1, {})
        self._checkpoint = TemporaryDirectory(prefix="conformare-", ignore_cleanup_errors=True)
        writer = messages.writeStream.foreachBatch(self._land_unless_over).option(
            "checkpointLocation", Path(self._checkpoint.name).as_uri()
        )
        if interval is None:
            writer = writer.trigger(availableNow=True)
        else:
            writer = writer.trigger(processingTime=interval)
        self._query = writer.start()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait for the query's end.

        Args:
            seconds: How long at most; None for as long as it takes.

        Returns:
            Whether the query has ended.

        Raises:
            StreamFailedError: It ended with an error.
        """
        try:
            # It takes fractions of a second, whatever its annotation says.
            ended = bool(self._query.awaitTermination(seconds)) or seconds is None  # type: ignore[arg-type]
        except StreamingQueryException as exc:
            fault = self._fault or exc
            raise StreamFailedError(first_line(fault)) from fault
        if self._fault is not None:
            raise StreamFailedError(first_line(self._fault)) from self._fault
        return ended

    def stop(self) -> None:
        """Stop the query; a batch that is under way is finished first."""
        with self._landing:
            self._stopping = True
        # Not under the lock: Spark waits for the query's thread, which may be waiting for it.
        self._query.stop()
        self._checkpoint.cleanup()

    def between_batches(self, work: Callable[[], None]) -> None:
        """Do something while no batch is under way; leave it where one is, or the query is over."""
        if not self._landing.acquire(blocking=False):
            return
        try:
            if not self._stopping and self._fault is None:
                work()
        except Exception as fault:  # noqa: BLE001 - `wait` raises it
            self._fault = fault
        finally:
            self._landing.release()

    def progress(self) -> tuple[int, PartitionOffsets]:
        """Return the number of the last batch that landed, and the offsets that it ended at."""
        return self._progress

    def _ends(self, batch_id: int) -> PartitionOffsets:
        """Return the offsets that a batch ends at: Spark notes them before it begins."""
        note = Path(self._checkpoint.name, "offsets", str(batch_id))
        return from_spark(note.read_text(encoding="utf-8").splitlines()[-1])

    def _land_unless_over(self, batch: DataFrame, batch_id: int) -> None:
        """Land a batch; one that begins after a fault, or while the query is stopped, is left.

        Nothing is raised to Spark: py4j and Spark would make a page of text of it. That Spark takes
        such a batch for done is of no matter, for its checkpoint ends with the query.
        """
        with self._landing:
            if self._stopping or self._fault is not None:
                return
            try:
                ends = self._ends(batch_id)
                ranges = {place: (self._at.get(place, 0), end) for place, end in ends.items()}
                self._land(batch, batch_id, ranges)
            except Exception as fault:  # noqa: BLE001 - `wait` raises it
                self._fault = fault
            else:
                self._at = ends
                self._progress = batch_id, ends
