"""A streaming query that lands micro-batches, and that is never stopped in the middle of one."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from pyspark.errors import StreamingQueryException
from pyspark.sql import DataFrame

from conformare_sink.errors import StreamFailedError, first_line
from conformare_sink.kafka.offsets import PartitionOffsets, from_spark
from conformare_sink.spark.dealing import Ranges


class _StopRequested(Exception):  # noqa: N818 - no fault: the query is being stopped
    """Raised inside the query so that a batch which has not begun is not committed."""


def _is_a_fault(record: logging.LogRecord) -> bool:
    return not (record.exc_info and isinstance(record.exc_info[1], _StopRequested))


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
        self._checkpoint = TemporaryDirectory(prefix="conformare-", ignore_cleanup_errors=True)
        writer = messages.writeStream.foreachBatch(self._land_unless_stopping).option(
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
            if seconds is None:
                self._query.awaitTermination()
                return True
            # It takes fractions of a second, whatever its annotation says.
            return bool(self._query.awaitTermination(seconds))  # type: ignore[arg-type]
        except StreamingQueryException as exc:
            # A fault of a batch has been through Java, which makes text of it.
            fault = self._fault or exc
            raise StreamFailedError(first_line(fault)) from fault

    def stop(self) -> None:
        """Stop the query; a batch that is under way is finished first."""
        # It tells of whatever goes back to Java as an exception.
        logging.getLogger("py4j.clientserver").addFilter(_is_a_fault)
        with self._landing:
            self._stopping = True
        # Not under the lock: Spark waits for the query's thread, which may be waiting for it.
        self._query.stop()
        self._checkpoint.cleanup()

    def progress(self) -> tuple[int, PartitionOffsets]:
        """Return the number of the last batch and the offsets that it ended at; -1 before it."""
        progress = self._query.lastProgress
        if progress is None:
            return -1, {}
        # The object's own endOffset is the text of a Python dict; its JSON holds JSON.
        (source,) = json.loads(progress.json)["sources"]
        return progress.batchId, from_spark(json.dumps(source["endOffset"] or {}))

    def _ends(self, batch_id: int) -> PartitionOffsets:
        """Return the offsets that a batch ends at: Spark notes them before it begins."""
        note = Path(self._checkpoint.name, "offsets", str(batch_id))
        return from_spark(note.read_text(encoding="utf-8").splitlines()[-1])

    def _land_unless_stopping(self, batch: DataFrame, batch_id: int) -> None:
        with self._landing:
            if self._stopping:
                # A batch whose function returns is committed: this one has to fail.
                raise _StopRequested
            try:
                ends = self._ends(batch_id)
                ranges = {place: (self._at.get(place, 0), end) for place, end in ends.items()}
                self._land(batch, batch_id, ranges)
                self._at = ends
            except Exception as fault:
                self._fault = fault
                raise
