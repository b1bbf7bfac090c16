"""Exports of real lakes: late runs, runs that go, a log that is cut, a process that is killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from support.fleet.lake import FleetLake
from support.openlineage.exported import NAMING, whole_emissions
from support.servers.receiver import Posted, answer_with, receiving

from conformare.fleet.stores import open_store
from conformare.openlineage import export_runs, openlineage_run_id, sent_runs
from conformare.openlineage.targets import FileTarget

pytestmark = pytest.mark.long

PROGRAM = "import sys; from conformare.cli.export import app; app(['openlineage', *sys.argv[1:]])"


def exported(lake: FleetLake, folder: Path) -> list[str]:
    """Export a lake to a file, and return the runs that are new in it."""
    file = folder / "events.jsonl"
    before = len(file.read_bytes()) if file.exists() else 0
    target = FileTarget(file)
    with sent_runs(folder / "sent", {}) as sent:
        done = export_runs(open_store(lake.root), sent, target, NAMING)
    target.close()
    events = [json.loads(line) for line in file.read_bytes()[before:].splitlines()]
    assert [one["eventType"] == "START" for one in events] == [True, False] * done.runs
    return [one["run"]["runId"] for one in events[1::2]]


def ids(emissions: Any) -> list[str]:
    """The UUIDs of runs."""
    runs = [emission.run for emission in emissions]
    return sorted(str(openlineage_run_id(run["pipeline"], run["run_id"])) for run in runs)


def test_each_run_of_a_lake_is_sent_once(tmp_path: Path) -> None:
    """However its tables have come to be as they are."""
    emissions = whole_emissions(seed=11, count=120)
    lake = FleetLake(tmp_path / "lake")
    lake.land(emissions[:70])
    assert sorted(exported(lake, tmp_path)) == ids(emissions[:70])
    lake.land(emissions[70:90])  # some took place before those that were sent
    lake.compact()
    assert sorted(exported(lake, tmp_path)) == ids(emissions[70:90])
    lake.purge({(run["pipeline"], run["run_id"]) for one in emissions[:9] if (run := one.run)})
    lake.forget_log()
    assert exported(lake, tmp_path) == []
    lake.land(emissions[90:])
    assert sorted(exported(lake, tmp_path)) == ids(emissions[90:])


class KillAfter:
    """Ends a process in the middle of an answer."""

    def __init__(self) -> None:
        self.process: subprocess.Popen[bytes] | None = None

    def __call__(self, _handler: object, _posted: Posted) -> None:
        """Kill it, and answer nothing."""
        assert self.process is not None
        os.kill(self.process.pid, signal.SIGKILL)


@pytest.mark.parametrize("taken", [0, 7, 40])
def test_an_export_that_is_killed_is_resumed(tmp_path: Path, taken: int) -> None:
    """Nothing is missing, and what comes twice is the same twice."""
    emissions = whole_emissions(seed=5, count=25)
    lake = FleetLake(tmp_path / "lake")
    lake.land(emissions)
    with receiving() as server:
        kill = KillAfter()
        server.answers = [*[answer_with(201)] * taken, kill]
        arguments = ["--lake", lake.root, "--url", server.url, "--state", str(tmp_path / "sent")]
        command = [sys.executable, "-c", PROGRAM, *arguments]
        kill.process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        assert kill.process.wait() == -signal.SIGKILL
        first = len(server.posts)
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    events = [json.dumps(posted.json, sort_keys=True) for posted in server.posts]
    assert first == taken + 1
    ended = [event for event in map(json.loads, set(events)) if event["eventType"] != "START"]
    assert sorted(event["run"]["runId"] for event in ended) == ids(emissions)
    assert len(set(events)) == 2 * len(emissions)
