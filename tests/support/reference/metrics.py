"""The page of the metrics: what the registries themselves show."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client import CollectorRegistry
from prometheus_client.core import Metric

from conformare.metrics import DeliveryCollector
from conformare_sink.monitoring.health import Health, status_registry
from conformare_sink.monitoring.metrics import SinkMetrics
from support.reference.markdown import NOTE, code, joined, table

INTRO = """\
Metrics are per process: counters start at zero when it starts.
A histogram `x` consists of `x_bucket`, `x_sum` and `x_count`.
[Monitor the sink](../operation/monitoring.md) explains the sink's metrics and alerts."""


def page() -> str:
    """Return the page."""
    job = CollectorRegistry()
    job.register(DeliveryCollector())
    sink = [*SinkMetrics().registry.collect(), *status_registry(Health()).collect()]
    return joined(
        (
            "# Metrics",
            NOTE,
            INTRO,
            "## The sink",
            "`conformare sink --metrics-port 9464` serves them at `/metrics`.",
            _table(sink),
            "## A job",
            "`conformare.metrics.register()` adds them to a registry of `prometheus_client`.",
            _table(job.collect()),
        )
    )


def _table(metrics: Iterable[Metric]) -> str:
    return table(
        ("metric", "kind", "labels", "description"),
        [
            (
                code(f"{one.name}_total" if one.type == "counter" else one.name),
                one.type,
                " ".join(map(code, _labels(one))),
                one.documentation,
            )
            for one in metrics
        ],
    )


def _labels(metric: Metric) -> list[str]:
    # One without samples yet has its labels in what it was made with.
    known = {"conformare_sink_lag": ["topic", "partition"], "conformare_runs_lost": ["reason"]}
    names = {name for sample in metric.samples for name in sample.labels if name != "le"}
    return known.get(metric.name, sorted(names))
