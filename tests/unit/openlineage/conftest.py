"""What the tests of the export share: a store of four runs, a server, and the program."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
from support.fleet.small import put_run
from support.jobs.spool_command import Answer, Run
from support.servers.receiver import Receiver, receiving

from conformare.cli import _entry_points as commands
from conformare.cli import main


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """Runs `conformare export openlineage` with arguments, in this process."""
    entry = EntryPoint("export", "conformare.cli.export:app [openlineage]", commands.COMMAND_GROUP)
    monkeypatch.setattr(commands, "entry_points", lambda **_group: (entry,))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))

    def with_arguments(*arguments: object) -> Answer:
        code = main(["export", "openlineage", *map(str, arguments)])
        return Answer(code, *capsys.readouterr())

    return with_arguments


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    """Runs of two pipelines, which share a run_id."""
    root = tmp_path / "lake"
    put_run(root, "orders", "1", "2026-11-26T06:00:00Z", run={"env": "prod"})
    put_run(root, "bills", "1", "2026-11-26T07:00:00Z")
    put_run(root, "orders", "2", "2026-11-27T06:00:00Z", run={"status": "failed"})
    put_run(root, "orders", "3", "2026-11-28T06:00:00Z")
    return root


@pytest.fixture
def server() -> Iterator[Receiver]:
    """A server that takes events."""
    with receiving() as receiver:
        yield receiver
