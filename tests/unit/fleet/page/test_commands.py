"""`conformare fleet report` and `serve`: what is told, and which exit code."""

from __future__ import annotations

import socket
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
from support.fleet.small import put_run
from support.jobs.spool_command import Answer, Run

from conformare.cli import _entry_points as commands
from conformare.cli import main

TOKEN = "0123456789abcdef"  # noqa: S105 - of a test


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs `conformare fleet` with arguments, in this process."""
    entry = EntryPoint("fleet", "conformare.cli.fleet:app [fleet]", commands.COMMAND_GROUP)
    monkeypatch.setattr(commands, "entry_points", lambda **_group: (entry,))
    monkeypatch.delenv("CONFORMARE_FLEET_TOKEN", raising=False)

    def with_arguments(*arguments: object) -> Answer:
        code = main(["fleet", *map(str, arguments)])
        return Answer(code, *capsys.readouterr())

    return with_arguments


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    """A store with one run that failed long ago."""
    put_run(tmp_path / "lake", "orders", "o-1", "2026-01-01T00:00:00Z", run={"status": "failed"})
    return tmp_path / "lake"


def test_a_report_is_written_and_says_what_needs_a_person(
    run: Run, lake: Path, tmp_path: Path
) -> None:
    """Exit code 0: `check` is the gate."""
    file = tmp_path / "fleet.html"
    answer = run("report", "--lake", lake, "-o", file, "--title", "Ours")
    assert (answer.code, answer.out) == (0, f"{file}: 1 finding needs attention\n")
    assert "<title>Ours</title>" in file.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["report", "-o", "{tmp}/none/fleet.html"], "cannot be written to"),
        (["report", "-o", "{tmp}"], "is a directory"),
        (["report", "--pipeline", "none"], "has no pipeline 'none': correct the name"),
        (["serve", "--host", "::"], "can be reached by others: give it a token"),
        (["serve", "--token-file", "{tmp}/none"], "the token cannot be read from"),
        (["serve", "--token-file", "{tmp}/empty"], "has no token: write one on its first line"),
        (["serve", "--token-file", "{tmp}/short"], "the token is too short"),
        (["serve", "--port", "70000"], "less than or equal to 65535"),
    ],
)
def test_wrong_use_is_told_in_one_line(
    run: Run, lake: Path, tmp_path: Path, arguments: list[str], said: str
) -> None:
    """Exit code 2."""
    (tmp_path / "empty").touch()
    (tmp_path / "short").write_text("secret\n")
    answer = run(*(one.replace("{tmp}", str(tmp_path)) for one in arguments), "--lake", lake)
    assert answer.code == 2
    assert said in answer.err
    assert answer.err.count("\n") == 1
    assert "secret" not in answer.err


def test_a_port_in_use_is_told_in_one_line(run: Run, lake: Path, tmp_path: Path) -> None:
    """The token is of a file, and not told."""
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        answer = run("serve", "--lake", lake, "--port", port, "--token-file", tmp_path / "token")
    assert answer.code == 2
    assert f"nothing can listen on 127.0.0.1:{port} (Address already in use)" in answer.err
    assert TOKEN not in answer.err


def test_the_environment_has_the_token(
    run: Run, lake: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is never on the command line."""
    monkeypatch.setenv("CONFORMARE_FLEET_TOKEN", "short")
    assert "the token is too short" in run("serve", "--lake", lake).err
    assert "No such option" in run("serve", "--lake", lake, "--token", TOKEN).err
