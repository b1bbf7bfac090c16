"""`conformare config show`: what is in force and where it comes from; secrets are nobody's."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer

from conformare.cli import main
from conformare.cli._commands import application

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


def test_a_command_shows_secrets_without_an_option_and_options_without_a_variable(
    show: Show, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are in force as well: that a secret is set, and where, is what somebody looks for."""
    monkeypatch.setenv("CONFORMARE_LAKE", "/lake")
    monkeypatch.setenv("CONFORMARE_WEBHOOK", f"https://host/{SECRET}")
    found = show("fleet", "notify", "--slack", f"https://slack/{SECRET}", "--tag", "team=a")
    assert found["webhook"] == ("hidden", "environment")
    assert found["--slack"] == ("hidden", "command line")
    assert found["--tag"] == ("team=a", "command line")


def test_every_command_with_settings_can_be_shown() -> None:
    """Typer keeps what `command_of` has noted."""
    waiting: list[Any] = [typer.main.get_command(application([]))]
    without = set()
    while waiting:
        command = waiting.pop()
        waiting += getattr(command, "commands", {}).values()
        is_group = hasattr(command, "commands")
        if not is_group and getattr(command.callback, "settings", None) is None:
            without.add(command.name)
    assert without == {"pack"}


@pytest.mark.parametrize(
    ("given", "printed"),
    [
        (f"s3://key:{SECRET[:7]}/{SECRET[7:]}@bucket/lake", "s3://…@bucket/lake"),
        (f"s3://key:{SECRET}?#@bucket/lake#{SECRET}", "s3://…@bucket/lake?…"),
        (f"https://store/lake;token={SECRET}", "https://store/lake?…"),
        (f"/lake?sig={SECRET}", "/lake?…"),
        (f"key:{SECRET}@bucket", "…@bucket"),
        ("/home/me@work/lake", "/home/me@work/lake"),
    ],
)
def test_an_address_is_shown_without_what_it_carries(
    given: str, printed: str, show: Show, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A password may have any character in it, and need not be in a URL."""
    monkeypatch.setenv("CONFORMARE_LAKE", given)
    assert show()["lake"] == (printed, "environment")


def test_what_a_command_would_refuse_is_not_in_force(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is told as the command would."""
    monkeypatch.setenv("CONFORMARE_TRIGGER", "5 parsecs")
    words = ["sink", "--lake", "/lake", "--bootstrap-servers", "broker:9092"]
    assert main(["config", "show", *words]) == 2
    assert "CONFORMARE_TRIGGER'): '5 parsecs' is not an interval" in capsys.readouterr().err


def test_odd_variables_are_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One that is no setting, and one whose text no command and no job could take."""
    for name, text in {
        "CONFORMARE_BOOTSTRAP_SERVER": "broker:9092",
        "CONFORMARE_\x1b[2J\u202e of nobody": "",
        "CONFORMARE_SPARK": "local",
        # Kubernetes sets such for each service of a namespace.
        "CONFORMARE_SINK_SERVICE_HOST": "10.0.0.1",
        "CONFORMARE_SINK_PORT_9464_TCP": "tcp://10.0.0.1:9464",
        "CONFORMARE_WRITER": "kafka",
        "CONFORMARE_METRICS_PORT": "tcp://10.0.0.1:9464",
        "CONFORMARE_SCHEMA_REGISTRY": f"{{{SECRET}",
    }.items():
        monkeypatch.setenv(name, text)
    assert main(["config", "show"]) == 0
    found = capsys.readouterr().err.splitlines()
    assert found == [
        (
            "warning: CONFORMARE_\\x1b[2J\\u202e of nobody is no setting and changes nothing: correct the "
            "name, or remove it"
        ),
        (
            "warning: CONFORMARE_BOOTSTRAP_SERVER is no setting and changes nothing; did you mean "
            "CONFORMARE_BOOTSTRAP_SERVERS?"
        ),
        "warning: CONFORMARE_SPARK is no setting and changes nothing; did you mean CONFORMARE_SLACK?",
        (
            "warning: CONFORMARE_METRICS_PORT: Input should be a valid integer, unable to parse string as "
            "an integer"
        ),
        "warning: CONFORMARE_SCHEMA_REGISTRY: it is not JSON",
    ]
