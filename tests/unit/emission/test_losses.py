"""Losses are counted always and logged rarely."""

from __future__ import annotations

import pytest

from conformare.emission._losses import LossLedger


def test_every_loss_counts_and_a_minute_has_one_line_per_reason(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The line says how many there are by then."""
    now = 0.0
    losses = LossLedger(clock=lambda: now)
    for now in (0.0, 1.0, 59.9, 60.0):  # noqa: B007 - the clock reads it
        losses.count("queue full", "waiting for broker:9092")
    losses.count("not encodable", "a row of the grain 'runs' does not fit the contract")
    assert losses.by_reason() == {"queue full": 4, "not encodable": 1}
    lines = [record.getMessage() for record in caplog.records]
    assert len(lines) == 3
    assert "(queue full, 1 so far): waiting for broker:9092" in lines[0]
    assert "(queue full, 4 so far)" in lines[1]
    assert "(not encodable, 1 so far)" in lines[2]
