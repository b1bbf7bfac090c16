"""A lake stays small beside a running sink, and nothing is lost by it."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from support.lakes.checker import check, read_table
from support.lakes.store import Store
from support.messages.produce import messages_of
from support.messages.records import make_record

from conformare_sink.lake.maintenance import Maintenance, MaintenanceReport
from conformare_sink.landing.report import BatchReport
from conformare_sink.messages.emission import Decision
from conformare_sink.stream.stream import SinkStream

PATIENCE_SECONDS = 120
PIECES_AT_ONCE = 16


def test_maintenance_beside_a_running_sink_loses_and_doubles_nothing(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Runs come in pieces meanwhile, so that all tables are written, `pending` too."""
    records = [make_record(f"live-{n}") for n in range(24)]
    pieces = [m for n, record in enumerate(records) for m in messages_of(record, f"live-{n}")]
    random.Random(3).shuffle(pieces)  # noqa: S311 - the same order every time
    landed, rounds = [0], list[MaintenanceReport]()
    all_landed, twice, has_landed = threading.Event(), threading.Event(), threading.Event()
    run_once = Maintenance.run_once

    def report(batch: BatchReport) -> None:
        landed[0] += batch.emissions[Decision.LAND]
        has_landed.set()
        if landed[0] == len(records):
            all_landed.set()

    def watched(maintenance: Maintenance, is_over: Callable[[], bool]) -> MaintenanceReport:
        rounds.append(run_once(maintenance, is_over))
        if len(rounds) > 1 and any(table.compacted for round_ in rounds for table in round_.tables):
            twice.set()
        return rounds[-1]

    monkeypatch.setattr(Maintenance, "run_once", watched)
    stream = SinkStream(store.spark, store.options, report)
    arguments = ("200 milliseconds", timedelta(milliseconds=100))
    running = threading.Thread(target=stream.run, args=arguments, daemon=True)
    running.start()
    while pieces:
        has_landed.clear()
        wave, pieces = pieces[:PIECES_AT_ONCE], pieces[PIECES_AT_ONCE:]
        store.topic.send(wave)
        assert has_landed.wait(PATIENCE_SECONDS)
    assert all_landed.wait(PATIENCE_SECONDS)
    assert twice.wait(PATIENCE_SECONDS)
    stream.stop()
    running.join(PATIENCE_SECONDS)
    assert not running.is_alive()
    assert [fault for round_ in rounds[:-1] for fault in round_.faults] == []
    assert check(store.lake, records).is_sound
    assert read_table(store.lake, "quarantine") == []
