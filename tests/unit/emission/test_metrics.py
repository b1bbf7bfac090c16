"""The delivery's counts as Prometheus reads them."""

from __future__ import annotations

from dataclasses import fields

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from conformare import metrics
from conformare._delivery_stats import DeliveryStats

STATS = DeliveryStats(
    recorded=412, delivered=411, lost={"too old": 1}, waiting=2, waiting_bytes=9, oldest_seconds=1.5
)


def test_every_count_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """And lost runs by reason."""
    monkeypatch.setattr(metrics, "delivery_stats", lambda: STATS)
    registry = CollectorRegistry()
    metrics.register(registry)
    shown = generate_latest(registry).decode()
    for line in (
        "conformare_runs_recorded_total 412.0",
        "conformare_runs_delivered_total 411.0",
        'conformare_runs_lost_total{reason="too old"} 1.0',
        "conformare_spool_waiting 2.0",
        "conformare_spool_waiting_bytes 9.0",
        "conformare_spool_oldest_seconds 1.5",
    ):
        assert line in shown.splitlines()
    names = {known.name for known in fields(DeliveryStats)}
    assert names == {*metrics.COUNTERS, *metrics.GAUGES, "lost"}
    with pytest.raises(ValueError, match="Duplicated"):
        metrics.register(registry)
