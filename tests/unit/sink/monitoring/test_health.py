"""When the stream is healthy, and what it says when it is not."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from conformare_sink.monitoring.health import Health

DOCS = Path(__file__).parents[4] / "docs" / "operation" / "monitoring.md"


class Clock:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    """The time of `health`."""
    return Clock()


@pytest.fixture
def health(clock: Clock) -> Health:
    """Of a stream that was just made, with ten minutes for a batch."""
    return Health(clock=clock)


def test_a_stream_is_healthy_when_it_runs(health: Health, clock: Clock) -> None:
    """Neither before, nor while it waits for its broker; each with its own time."""
    clock.now += 3
    assert health.report() == (False, "starting", 3.0)
    health.running()
    clock.now += 4
    assert health.report() == (True, "ok", 4.0)
    health.waiting_for_broker()
    clock.now += 5
    assert health.report() == (False, "waiting for the broker", 5.0)
    health.running()
    assert health.report() == (True, "ok", 0.0)


def test_once_the_broker_has_answered_the_stream_starts(health: Health, clock: Clock) -> None:
    """It takes its time to open the lake, at the start as after an outage; nobody waits then."""
    health.waiting_for_broker()
    clock.now += 3
    health.starting()
    clock.now += 2
    assert health.report() == (False, "starting", 2.0)
    health.running()
    health.waiting_for_broker()
    health.starting()
    assert health.report() == (False, "starting", 0.0)
    health.stopping()
    health.starting()
    assert health.report().status == "stopping"


def test_to_say_the_same_again_begins_nothing_anew(health: Health, clock: Clock) -> None:
    """A loop may say it at every turn."""
    for seconds in (0.0, 2.0, 4.0):
        health.waiting_for_broker()
        assert health.report().seconds == seconds
        clock.now += 2


def test_a_batch_that_takes_too_long_has_stalled(health: Health, clock: Clock) -> None:
    """It is told how long it has taken; once it ends all is well, and the next has its own time."""
    with health.batch():
        clock.now += 600
        assert health.report() == (True, "ok", 600.0)
        clock.now += 1
        assert health.report() == (False, "stalled", 601.0)
    assert health.report() == (True, "ok", 601.0)
    with health.batch():
        clock.now += 599
        assert health.report().healthy


def test_a_batch_that_fails_is_under_way_no_more(health: Health, clock: Clock) -> None:
    """Its fault goes on its way."""
    fault = RuntimeError("broken")
    with pytest.raises(RuntimeError, match="broken"), health.batch():
        raise fault
    clock.now += 1000
    assert health.report().status == "ok"


def test_a_stream_that_waits_has_not_stalled(health: Health, clock: Clock) -> None:
    """That tells more than that it has stalled."""
    with health.batch():
        health.waiting_for_broker()
        clock.now += 1000
        assert health.report() == (False, "waiting for the broker", 1000.0)


def test_nothing_follows_stopping(health: Health, clock: Clock) -> None:
    """The last batch may still run, and the loop may not know yet."""
    health.running()
    health.stopping()
    clock.now += 2
    health.stopping()
    with health.batch():
        clock.now += 1000
        assert health.report() == (False, "stopping", 1002.0)


def test_the_docs_have_every_status_and_no_other(health: Health, clock: Clock) -> None:
    """Somebody has an alert for each."""
    said = [health.report().status]
    health.waiting_for_broker()
    said.append(health.report().status)
    with health.batch():
        said.append(health.report().status)
        clock.now += 1000
        said.append(health.report().status)
    health.stopping()
    said.append(health.report().status)
    section = DOCS.read_text(encoding="utf-8").split("\n## Health")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (`.*`) \|", section, re.MULTILINE)
    assert sorted(re.findall("`(.*?)`", " ".join(rows))) == sorted(said)
