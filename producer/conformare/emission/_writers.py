"""The Kafka writers of this process, all together."""

from __future__ import annotations

import atexit
import os
import time

from conformare._delivery_stats import DeliveryStats
from conformare._process_lock import ProcessLock
from conformare.emission._stats import total
from conformare.emission._writer import KafkaWriter
from conformare.emission.settings import KafkaOptions


class _Writers:
    """The Kafka writers of this process: one for each store, however often it is configured."""

    def __init__(self) -> None:
        self._lock = ProcessLock()
        self._all: list[KafkaWriter] = []
        self._hooked = False

    def of(self, options: KafkaOptions) -> KafkaWriter:
        with self._lock:
            for writer in self._all:
                if writer.options == options:
                    return writer
            writer = KafkaWriter(options)
            self._all.append(writer)
            if not self._hooked:
                self._hooked = True
                atexit.register(self.close)
                if hasattr(os, "register_at_fork"):
                    os.register_at_fork(after_in_child=self.begin_process)
            return writer

    def stats(self) -> DeliveryStats:
        return total(writer.stats() for writer in self._all)

    def flush(self, timeout_seconds: float) -> int:
        deadline = time.monotonic() + timeout_seconds
        return sum(
            writer.flush(max(0.0, deadline - time.monotonic())) for writer in list(self._all)
        )

    def close(self) -> None:
        """At the end of the interpreter: one after the other, within the longest of their times."""
        start = time.monotonic()
        for writer in self._all:
            spent = time.monotonic() - start
            writer.close(max(0.0, writer.options.exit_timeout_seconds - spent))

    def begin_process(self) -> None:
        for writer in self._all:
            writer.begin_process()


_writers = _Writers()


def kafka_writer(options: KafkaOptions) -> KafkaWriter:
    """Return this process's writer for some options: the same one for the same options."""
    return _writers.of(options)


def flush_all(timeout_seconds: float) -> int:
    """Wait for the acknowledgements of all writers; return how many runs are undelivered."""
    return _writers.flush(timeout_seconds)


def stats_of_all() -> DeliveryStats:
    """Return the stats of all writers together."""
    return _writers.stats()
