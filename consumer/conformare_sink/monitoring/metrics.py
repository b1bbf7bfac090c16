"""The sink's counts for Prometheus."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from conformare_sink.landing.report import BatchReport
from conformare_sink.messages.emission import Decision
from conformare_sink.monitoring.producers import ProducerSequences

END_TO_END_BUCKETS = (0.25, 0.5, 1, 2, 3, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600)
"""In seconds."""
BATCH_BUCKETS = (0.1, 0.25, 0.5, 1, 2, 3, 5, 10, 20, 30, 60, 120, 300, 600)
"""In seconds."""


class SinkMetrics:
    """Counts what the batches of one stream did, in a registry of its own.

    Args:
        clock: Seconds that never go back.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.registry = CollectorRegistry()
        """What `/metrics` shows."""
        self._clock = clock
        self._last_commit = clock()
        self._producers = ProducerSequences()
        self._places: set[tuple[str, int]] = set()
        self._batches = self._counter("batches", "Micro-batches that landed.")
        self._messages = self._counter("messages", "Messages read from the topics.")
        self._landed = self._counter("runs_landed", "Runs that landed.")
        self._duplicates = self._counter(
            "duplicates_dropped", "Emissions dropped because their run has landed already."
        )
        self._quarantined = self._counter("quarantined", "Messages put into quarantine.")
        self._set_aside = self._counter(
            "set_aside", "Incomplete emissions put into quarantine, for they waited too long."
        )
        self._pending = self._gauge(
            "pending_emissions", "Emissions that waited for messages after the last batch."
        )
        self._gaps = self._gauge(
            "producer_gaps", "Emissions that producers numbered and that have not arrived."
        )
        self._lag = Gauge(
            "conformare_sink_lag",
            "Messages that the sink has not landed yet.",
            ["topic", "partition"],
            registry=self.registry,
        )
        self._gauge(
            "seconds_since_last_commit",
            "Seconds since the last commit, or since the start where there was none.",
        ).set_function(lambda: self._clock() - self._last_commit)
        self._end_to_end = self._histogram(
            "end_to_end_seconds",
            "Seconds from the call of record_run until readers see the run.",
            END_TO_END_BUCKETS,
        )
        self._batch_seconds = self._histogram(
            "batch_seconds", "Seconds that a micro-batch took.", BATCH_BUCKETS
        )

    def record(self, report: BatchReport) -> None:
        """Count what a batch did.

        Args:
            report: Of a batch that has landed.
        """
        self._batches.inc()
        self._messages.inc(report.messages)
        self._landed.inc(report.emissions.get(Decision.LAND, 0))
        self._duplicates.inc(report.emissions.get(Decision.REPEAT, 0))
        self._quarantined.inc(report.quarantined)
        self._set_aside.inc(report.set_aside)
        self._pending.set(report.pending)
        self._producers.observe(report.sequences)
        self._gaps.set(self._producers.gaps)
        for seconds in report.latencies:
            self._end_to_end.observe(seconds)
        self._batch_seconds.observe(report.seconds)

    def lag(self, lag: Mapping[tuple[str, int], int]) -> None:
        """Show how far the sink is behind.

        Args:
            lag: Messages not landed yet, by topic and partition: all that there are. What is not
                in it any more is no longer shown.
        """
        for (topic, partition), messages in lag.items():
            self._lag.labels(topic, str(partition)).set(messages)
        for topic, partition in self._places - lag.keys():
            self._lag.remove(topic, str(partition))
        self._places = set(lag)

    def committed(self) -> None:
        """Say that what was read until now is committed."""
        self._last_commit = self._clock()

    def _counter(self, name: str, text: str) -> Counter:
        return Counter(f"conformare_sink_{name}", text, registry=self.registry)

    def _gauge(self, name: str, text: str) -> Gauge:
        return Gauge(f"conformare_sink_{name}", text, registry=self.registry)

    def _histogram(self, name: str, text: str, buckets: tuple[float, ...]) -> Histogram:
        return Histogram(f"conformare_sink_{name}", text, buckets=buckets, registry=self.registry)
