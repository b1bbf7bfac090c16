"""`conformare config show`: what is in force and where it comes from; secrets are nobody's."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from conformare.cli import main

Write = Callable[[str], Path]
Show = Callable[..., dict[str, tuple[str, str]]]
SECRET = "correct-horse-battery"  # noqa: S105 - made up


@pytest.fixture
def show(capsys: pytest.CaptureFixture[str]) -> Show:
    """Runs the command and returns value and origin of each setting."""

    def shown(*arguments: str) -> dict[str, tuple[str, str]]:
        assert main(["config", "show", "--json", *arguments]) == 0
        printed: dict[str, Any] = json.loads(capsys.readouterr().out)
        return {one["name"]: (one["value"], one["origin"]) for one in printed["settings"]}

    return shown


def test_all_settings_of_this_installation_are_shown(
    show: Show, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever uses them: a job, the sink, the fleet."""
    monkeypatch.setenv("CONFORMARE_METRICS_PORT", "9464")
    found = show("--config", str(write('lake = "/lake"\nwriter = "kafka"')))
    assert found["lake"] == ("/lake", "file")
    assert found["writer"] == ("kafka", "file")
    assert found["metrics_port"] == ("9464", "environment")
    assert found["trigger"] == ("1 second", "default")
    assert "once" not in found


def test_a_command_is_shown_as_it_would_see_them_and_not_run(
    show: Show, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its options come after its name."""
    monkeypatch.setenv("CONFORMARE_LIMIT", "7")
    file = write('lake = "/lake"\ntopic_prefix = "x."')
    found = show("quarantine", "show", "--cause", "a", "--config", str(file))
    assert found["cause"] == ("a", "command line")
    assert found["limit"] == ("7", "environment")
    assert found["lake"] == ("/lake", "file")
    assert found["schema"] == ("", "default")
    assert "topic_prefix" not in found


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_no_secret_is_printed(
    form: list[str],
    write: Write,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Nor what an address carries."""
    monkeypatch.setenv("CONFORMARE_WEBHOOK", f"https://host/{SECRET}")
    monkeypatch.setenv("CONFORMARE_LAKE", f"s3://me:{SECRET}@bucket/lake?sig={SECRET}")
    monkeypatch.setenv("CONFORMARE_KAFKA", json.dumps({"sasl.password": SECRET}))
    file = write(f'slack = "{SECRET}"\nfleet_token = "{SECRET}"')
    assert main(["config", "show", *form, "--config", str(file)]) == 0
    printed = capsys.readouterr()
    assert SECRET not in printed.out + printed.err
    assert "…@bucket/lake?…" in printed.out or r"\u2026@bucket/lake?\u2026" in printed.out
    assert printed.out.count("hidden") == 4


@pytest.mark.parametrize("words", [["quarantine"], ["nothing"], ["quarantine", "x"]])
def test_what_is_no_command_is_told(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """With those that there are."""
    assert main(["config", "show", *words]) == 2
    assert "name one of them" in capsys.readouterr().err


def test_a_command_that_lacks_something_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """As the command itself would tell it."""
    assert main(["config", "show", "status"]) == 2
    assert "Missing option '--lake'" in capsys.readouterr().err
