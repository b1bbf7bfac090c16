"""What is counted, and how often it is logged."""

from __future__ import annotations

import pytest

from conformare._delivery_stats import DeliveryStats
from conformare.emission._stats import Ledger, total


def test_each_reason_is_counted_and_logged_at_most_once_a_minute(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The first at once; other reasons have a minute of their own."""
    seconds = [0.0]
    ledger = Ledger(lambda: seconds[0])
    for seconds[0] in (0.0, 59.0, 61.0):
        ledger.lose("memory full", "waiting for broker:9092")
    ledger.lose("too old", "waited", times=2)
    ledger.lose("too old", "nothing", times=0)
    assert ledger.lost() == {"memory full": 3, "too old": 2}
    assert caplog.messages == [
        "conformare: a run was lost (memory full, 1 so far): waiting for broker:9092",
        "conformare: a run was lost (memory full, 3 so far): waiting for broker:9092",
        "conformare: a run was lost (too old, 2 so far): waited",
    ]


def test_the_stats_of_several_stores_are_added_up() -> None:
    """Of ages the largest is told."""
    parts = [
        DeliveryStats(recorded=3, delivered=2, lost={"too old": 1}, oldest_seconds=4.0),
        DeliveryStats(recorded=1, lost={"too old": 1, "memory full": 2}, oldest_seconds=9.0),
    ]
    assert total(parts) == DeliveryStats(
        recorded=4, delivered=2, lost={"too old": 2, "memory full": 2}, oldest_seconds=9.0
    )
    assert total([]) == DeliveryStats()
