"""The sink's counts as Prometheus reads them."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from prometheus_client import generate_latest

from conformare_sink.landing.report import BatchReport
from conformare_sink.messages.emission import Decision
from conformare_sink.messages.headers import by_producer
from conformare_sink.monitoring.health import Health, status_registry
from conformare_sink.monitoring.metrics import SinkMetrics

DOCS = Path(__file__).parents[4] / "docs" / "operation" / "monitoring.md"

FIRST = BatchReport(
    batch_id=0,
    messages=24,
    emissions={Decision.LAND: 3, Decision.REPEAT: 1, Decision.WAIT: 2},
    rows={"runs": 3, "risks": 5},
    quarantined=4,
    set_aside=7,
    pending=2,
    seconds=1.5,
    latencies=np.array([0.25, 2.5, 5000.0]),
    sequences=by_producer([("p", 1), ("p", 4)]),
)
SECOND = BatchReport(
    batch_id=1,
    messages=6,
    emissions={Decision.LAND: 2},
    rows={"runs": 2},
    quarantined=0,
    set_aside=1,
    pending=0,
    seconds=0.5,
    latencies=np.array([1.0, 1.0]),
    sequences=by_producer([("p", 2)]),
)


@pytest.fixture
def now() -> list[float]:
    """The time; its one element is to be changed."""
    return [100.0]


@pytest.fixture
def metrics(now: list[float]) -> SinkMetrics:
    """The metrics of a sink that was just started."""
    return SinkMetrics(clock=lambda: now[0])


def value(metrics: SinkMetrics, name: str, **labels: str) -> float | None:
    """Return what is shown under a name."""
    return metrics.registry.get_sample_value(f"conformare_sink_{name}", labels)


def test_counters_add_up_and_gauges_are_of_the_last_batch(metrics: SinkMetrics) -> None:
    """Over two batches; a gap that was filled is no gap any more."""
    metrics.record(FIRST)
    assert value(metrics, "pending_emissions") == 2
    assert value(metrics, "producer_gaps") == 2
    metrics.record(SECOND)
    assert value(metrics, "batches_total") == 2
    assert value(metrics, "messages_total") == 30
    assert value(metrics, "runs_landed_total") == 5
    assert value(metrics, "duplicates_dropped_total") == 1
    assert value(metrics, "quarantined_total") == 4
    assert value(metrics, "set_aside_total") == 8
    assert value(metrics, "pending_emissions") == 0
    assert value(metrics, "producer_gaps") == 1
    assert value(metrics, "batch_seconds_count") == 2
    assert value(metrics, "batch_seconds_sum") == 2.0


def test_latencies_are_in_buckets_from_a_quarter_of_a_second_to_an_hour(
    metrics: SinkMetrics,
) -> None:
    """Each run once."""
    metrics.record(FIRST)
    metrics.record(SECOND)
    buckets = {"0.25": 1, "0.5": 1, "1.0": 3, "3.0": 4, "3600.0": 4, "+Inf": 5}
    found = {le: value(metrics, "end_to_end_seconds_bucket", le=le) for le in buckets}
    assert found == buckets
    assert value(metrics, "end_to_end_seconds_count") == 5


def test_before_the_first_batch_counters_are_zero(metrics: SinkMetrics) -> None:
    """So that the first event is an increase."""
    assert value(metrics, "quarantined_total") == 0


def test_the_lag_is_that_of_the_last_look(metrics: SinkMetrics) -> None:
    """A partition that is gone is not shown for ever with what it had."""
    metrics.lag({("t.runs", 0): 5, ("t.runs", 1): 0, ("t.risks", 0): 7})
    metrics.lag({("t.runs", 0): 3, ("t.runs", 1): 2})
    assert value(metrics, "lag", topic="t.runs", partition="0") == 3
    assert value(metrics, "lag", topic="t.runs", partition="1") == 2
    assert value(metrics, "lag", topic="t.risks", partition="0") is None


def test_the_time_since_the_last_commit_passes_by_itself(
    metrics: SinkMetrics, now: list[float]
) -> None:
    """Nothing has to happen for it to grow: a sink that is stuck shows it."""
    now[0] += 30
    assert value(metrics, "seconds_since_last_commit") == 30
    metrics.committed()
    assert value(metrics, "seconds_since_last_commit") == 0
    now[0] += 7
    assert value(metrics, "seconds_since_last_commit") == 7


def test_no_producer_is_named(metrics: SinkMetrics) -> None:
    """Anybody can call himself anything, and there may be thousands."""
    before = generate_latest(metrics.registry).decode().count("\n")
    producers = by_producer((f"<b>{n}", sequence) for n in range(1_000) for sequence in (1, 3))
    metrics.record(replace(FIRST, sequences=producers))
    shown = generate_latest(metrics.registry).decode()
    assert value(metrics, "producer_gaps") == 1_000
    assert "<b>" not in shown
    assert shown.count("\n") == before


def test_two_sinks_of_a_process_share_nothing(metrics: SinkMetrics) -> None:
    """Each has a registry of its own."""
    metrics.record(FIRST)
    assert value(SinkMetrics(), "batches_total") == 0


def test_the_documentation_names_every_metric(metrics: SinkMetrics) -> None:
    """And no other."""
    registries = (metrics.registry, status_registry(Health()))
    exposed = b"".join(map(generate_latest, registries)).decode()
    names = {
        n for n in re.findall(r"^# TYPE (\w+)", exposed, re.MULTILINE) if not n.endswith("_created")
    }
    text = DOCS.read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `(conformare_sink_\w+)", text, re.MULTILINE)) == names
    used = {re.sub(r"_bucket$", "", n) for n in re.findall(r"conformare_sink_\w+", text)}
    assert used <= names
