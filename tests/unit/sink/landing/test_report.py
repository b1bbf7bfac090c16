"""What a batch says of itself, and when its runs were recorded."""

from __future__ import annotations

import json
import re
import time
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pytest

from conformare._identity import new_emission_id
from conformare_sink.landing.report import BatchReport, latencies_of, times_of
from conformare_sink.messages.emission import Decision, recorded_at
from conformare_sink.messages.headers import by_producer

DOCS = Path(__file__).parents[4] / "docs" / "operation" / "logs.md"

BUSY = BatchReport(
    batch_id=7,
    messages=24,
    emissions={Decision.LAND: 3, Decision.REPEAT: 1, Decision.WAIT: 2},
    rows={"runs": 3, "risks": 5},
    quarantined=4,
    set_aside=6,
    pending=2,
    seconds=1.23456,
    latencies=np.array([2.5, 0.75, 9.0004]),
    sequences=by_producer([("p", 1)]),
)
IDLE = BatchReport(8, 0, {}, {}, 0, 0, 0, 0.5, np.empty(0), {})

RFC_9562_EXAMPLE = "017f22e2-79b0-7cc3-98c4-dc0c0c07398f"
"""Appendix A.6: made on 22 February 2022 at 14:22:22, five hours behind UTC."""
ITS_TIME = datetime(2022, 2, 22, 19, 22, 22, tzinfo=timezone.utc).timestamp()


def test_the_summary_names_what_is_not_zero() -> None:
    """And says so where there is nothing."""
    assert BUSY.summary() == (
        "batch 7: 3 run(s) landed, 1 run(s) repeated, 2 run(s) incomplete, "
        "4 message(s) quarantined, 6 incomplete emission(s) set aside"
    )
    for emissions in ({}, dict.fromkeys(Decision, 0)):
        assert replace(IDLE, emissions=emissions).summary() == "batch 8: nothing new"


def test_a_report_is_one_line_of_json() -> None:
    """With everything that a person would ask of a batch; its time is told in UTC."""
    cet = timezone(timedelta(hours=1))
    line = BUSY.as_json(datetime(2026, 2, 3, 0, 30, 1, 5000, tzinfo=cet))
    assert "\n" not in line
    told = json.loads(line)
    decided = told.pop("emissions")
    assert decided.items() >= {"landed": 3, "repeated": 1, "incomplete": 2}.items()
    assert told == {
        "time": "2026-02-02T23:30:01.005Z",
        "batch": 7,
        "messages": 24,
        "rows": {"runs": 3, "risks": 5},
        "quarantined": 4,
        "set_aside": 6,
        "pending": 2,
        "seconds": 1.235,
        "latency_p50_seconds": 2.5,
        "latency_max_seconds": 9.0,
    }


def test_every_line_has_the_same_keys() -> None:
    """A decision that nothing met is 0; of no runs there is no latency."""
    told = json.loads(IDLE.as_json())
    assert told.keys() == json.loads(BUSY.as_json()).keys()
    assert told["emissions"] == {decision.value: 0 for decision in Decision}
    assert told["latency_p50_seconds"] is told["latency_max_seconds"] is None
    age = datetime.now(timezone.utc) - datetime.fromisoformat(told["time"].replace("Z", "+00:00"))
    assert timedelta() <= age < timedelta(minutes=1)


def test_the_documentation_shows_such_a_line() -> None:
    """And explains each of its keys."""
    text = DOCS.read_text(encoding="utf-8")
    (shown,) = re.findall(r"^```json\n(.+)\n```$", text, re.MULTILINE)
    logs = text[text.index("## Logs") :].split("\n## ")[0]
    cells = re.findall(r"^\| (`.+?`) \|", logs, re.MULTILINE)
    keys = list(json.loads(IDLE.as_json()))
    assert list(json.loads(shown)) == keys
    assert re.findall(r"`(\w+)`", " ".join(cells)) == keys


def test_an_emission_tells_when_it_was_recorded() -> None:
    """By the standard's own example, and by what a job makes now."""
    assert recorded_at(RFC_9562_EXAMPLE) == ITS_TIME
    assert recorded_at(RFC_9562_EXAMPLE.upper()) == ITS_TIME
    before = time.time()
    told = recorded_at(new_emission_id())
    assert told is not None
    # To the millisecond, cut off.
    assert before - 0.001 <= told <= time.time()


@pytest.mark.parametrize(
    "emission_id",
    [
        "",
        "e1",
        "9b2e1a5c-1111-4c6f-8f00-0123456789ab",  # version 4
        "017f22e2-79b0-7cc3-18c4-dc0c0c07398f",  # another variant
        "{017f22e2-79b0-7cc3-98c4-dc0c0c07398f}",
        "017f22e279b07cc398c4dc0c0c07398f",
        "017f22e2-79b0-7cc3-98c4-dc0c0c0739_f",
        "\x00" * 36,
    ],
)
def test_what_is_no_uuid7_tells_no_time(emission_id: str) -> None:
    """Whatever a message carried."""
    assert recorded_at(emission_id) is None


def test_latencies_leave_out_what_has_no_time() -> None:
    """And a job whose clock is ahead of the sink's was not recorded after it landed."""
    ids = [RFC_9562_EXAMPLE, "e1", RFC_9562_EXAMPLE]
    assert latencies_of(times_of(ids), ITS_TIME + 2.5).tolist() == [2.5, 2.5]
    assert latencies_of(times_of(ids), ITS_TIME - 1).tolist() == [0.0, 0.0]
