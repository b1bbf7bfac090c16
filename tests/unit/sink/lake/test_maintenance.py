"""When a lake is maintained, and that nothing which goes wrong there ends a sink."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import cast

import pytest

from conformare_sink.lake.maintenance import (
    Maintenance,
    MaintenanceReport,
    Schedule,
    TableReport,
)

PATIENCE_SECONDS = 20
SHORT_SECONDS = 0.01
AT_ONCE = timedelta(milliseconds=1)


class Stub:
    """A maintenance that fails the first time, and tells when it was done for the third."""

    def __init__(self) -> None:
        self.times = 0
        self.third = threading.Event()
        self.under_way = threading.Event()
        self.waits = False

    def run_once(self, is_over: Callable[[], bool]) -> MaintenanceReport:
        """Fail, or report; or wait until it is broken off."""
        self.times += 1
        if self.waits:
            self.under_way.set()
            while not is_over():
                self.third.wait(SHORT_SECONDS)
            raise OSError("it broke off")
        if self.times == 1:
            raise OSError("the disk is gone\n  at java.lang")
        if self.times == 3:
            self.third.set()
        return MaintenanceReport(faults=["table t: busy"])


def scheduled(stub: Stub, every: timedelta) -> Schedule:
    """A schedule of the stub."""
    return Schedule(cast("Maintenance", stub), every)


def test_a_failure_is_logged_and_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    """Of all or of one table, in one line each."""
    stub = Stub()
    with caplog.at_level(logging.INFO, "conformare_sink"), scheduled(stub, AT_ONCE):
        assert stub.third.wait(PATIENCE_SECONDS)
    assert caplog.messages[:3] == [
        "maintenance could not do all, and tries again: the disk is gone",
        f"maintenance: {MaintenanceReport().summary()}",
        "maintenance could not do all, and tries again: table t: busy",
    ]


def test_the_end_breaks_off_what_is_under_way(caplog: pytest.LogCaptureFixture) -> None:
    """Which is no failure to tell of, and nothing is begun any more."""
    stub = Stub()
    stub.waits = True
    with scheduled(stub, AT_ONCE):
        assert stub.under_way.wait(PATIENCE_SECONDS)
    assert stub.times == 1
    assert caplog.messages == []


def test_the_end_does_not_wait_for_the_next_time() -> None:
    """And does not begin it."""
    stub = Stub()
    with scheduled(stub, timedelta(hours=1)):
        pass
    assert stub.times == 0


def test_the_summary_adds_up_the_tables() -> None:
    """In one line."""
    report = MaintenanceReport(
        [TableReport("runs", 30, 1, 4, 100), TableReport("risks", 10, 2, 0, 50)],
        settled=7,
        seconds=12.4,
    )
    assert report.summary() == (
        "40 file(s) compacted into 3, 4 deleted, 150 of the logs deleted, 7 row(s) no longer "
        "pending, in 12 s"
    )
