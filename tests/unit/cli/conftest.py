"""What the tests of the commands share."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.jobs.spool_command import Answer, Run

from conformare.cli import main


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The spool's folder, as the environment names it; it does not exist yet."""
    folder = tmp_path / "spool"
    monkeypatch.setenv("CONFORMARE_SPOOL_DIR", str(folder))
    return folder


@pytest.fixture
def run(root: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs `conformare spool` with arguments, in this process."""
    assert not root.exists()

    def with_arguments(*arguments: object) -> Answer:
        code = main(["spool", *map(str, arguments)])
        return Answer(code, *capsys.readouterr())

    return with_arguments
