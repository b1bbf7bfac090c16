"""A sink that runs beside a test, and what it says."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from pyspark.sql import SparkSession

from conformare_sink.errors import SinkError
from conformare_sink.landing.report import BatchReport
from conformare_sink.messages.emission import Decision
from conformare_sink.options import SinkOptions
from conformare_sink.stream.stream import SinkStream

PATIENCE_SECONDS = 240


class RunningSink:
    """A sink in a thread of its own.

    Args:
        spark: Its session.
        options: Where from and where to.
    """

    def __init__(self, spark: SparkSession, options: SinkOptions) -> None:
        self.landed = 0
        """Runs of which a test has heard that they landed."""
        self._events: queue.Queue[BatchReport | SinkError | None] = queue.Queue()
        self._stream = SinkStream(spark, options, self._events.put)
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def await_runs(self, wanted: int) -> None:
        """Return when so many runs have landed since the last call."""
        while wanted > 0:
            event = self._events.get(timeout=PATIENCE_SECONDS)
            assert isinstance(event, BatchReport), event
            wanted -= event.emissions[Decision.LAND]
            self.landed += event.emissions[Decision.LAND]

    def await_end(self) -> SinkError | None:
        """Wait for the end, and return the error that it ended with."""
        while isinstance(event := self._events.get(timeout=PATIENCE_SECONDS), BatchReport):
            pass
        return event

    def stop(self) -> None:
        """Stop it as SIGTERM does, if it runs, and wait for its end."""
        self._stream.stop()
        self._thread.join(PATIENCE_SECONDS)

    def _run(self) -> None:
        try:
            self._stream.run("100 milliseconds")
        except SinkError as error:
            self._events.put(error)
        else:
            self._events.put(None)


class Messages(logging.Handler):
    """Waits for what is logged."""

    def __init__(self) -> None:
        super().__init__()
        self._lines: queue.Queue[str] = queue.Queue()

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a line."""
        self._lines.put(record.getMessage())

    def await_line(self, part: str) -> str:
        """Return the first line, from here on, that says something."""
        while part not in (line := self._lines.get(timeout=PATIENCE_SECONDS)):
            pass
        return line


@contextmanager
def listening() -> Iterator[Messages]:
    """What the sink says while the block runs."""
    messages = Messages()
    logger = logging.getLogger("conformare_sink")
    logger.addHandler(messages)
    yield messages
    logger.removeHandler(messages)
