"""The delivery's counts for Prometheus; needs the extra `metrics`.

`metrics.register()`, beside `prometheus_client.start_http_server(9100)`, is all that a job has to
call.
"""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import REGISTRY, CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from conformare._delivery import delivery_stats
from conformare._delivery_stats import DeliveryStats

COUNTERS = {
    "recorded": "Runs recorded through Kafka.",
    "spooled": "Runs written to the spool before record_run returned.",
    "unspooled": "Runs that could not be written to the spool and wait in memory.",
    "delivered": "Runs whose every message was acknowledged.",
    "retried": "How often a run was sent again.",
    "rejected": "Runs refused for good, kept in the spool's folder of rejected ones.",
    "adopted": "Runs taken over from processes that had ended.",
}
GAUGES = {
    "waiting": "Runs that wait to be delivered.",
    "waiting_bytes": "Bytes of the runs that wait.",
    "oldest_seconds": "How long the oldest waiting run has waited, in seconds.",
}


class DeliveryCollector(Collector):
    """Reads the delivery's counts whenever they are asked for."""

    def describe(self) -> Iterator[Metric]:
        """Yield the metrics for their names: a registry refuses those that it has."""
        return self.collect()

    def collect(self) -> Iterator[Metric]:
        """Yield one metric for each count; lost runs by reason."""
        stats: DeliveryStats = delivery_stats()
        for name, text in COUNTERS.items():
            counter = CounterMetricFamily(f"conformare_runs_{name}", text)
            counter.add_metric([], getattr(stats, name))
            yield counter
        lost = CounterMetricFamily("conformare_runs_lost", "Runs lost.", labels=["reason"])
        for reason, times in sorted(stats.lost.items()):
            lost.add_metric([reason], times)
        yield lost
        for name, text in GAUGES.items():
            yield GaugeMetricFamily(f"conformare_spool_{name}", text, value=getattr(stats, name))


def register(registry: CollectorRegistry = REGISTRY) -> None:
    """Let a registry show the delivery's counts of this process.

    Args:
        registry: Prometheus's default one when not given.

    Raises:
        ValueError: It shows them already.
    """
    registry.register(DeliveryCollector())
