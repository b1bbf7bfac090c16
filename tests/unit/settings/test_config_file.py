"""A configuration file: what it says counts, and what is wrong with it is told in one line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from conformare.cli import main
from conformare_schemas.settings import (
    SettingsError,
    definitions,
    in_force,
    read_config_file,
    use_config_file,
)
from conformare_sink.cli.settings import SinkSettings
from conformare_sink.cli.submit.program import app

Write = Callable[[str], Path]
BY_NAME = {one.name: one for one in definitions(SinkSettings)}
SECRET = "correct horse battery"  # noqa: S105 - made up


def test_the_environment_goes_before_the_file(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the file before the default."""
    trigger = BY_NAME["trigger"]
    assert in_force(trigger) == (None, "default")
    with use_config_file(read_config_file(write('trigger = "2 seconds"'))):
        assert in_force(trigger) == ("2 seconds", "file")
        monkeypatch.setenv("CONFORMARE_TRIGGER", "3 seconds")
        assert in_force(trigger) == ("3 seconds", "environment")
    monkeypatch.delenv("CONFORMARE_TRIGGER")
    assert in_force(trigger) == (None, "default")


def test_a_file_counts_only_where_it_is_named(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that lies in the working folder is nobody's."""
    file = write('trigger = "2 seconds"')
    monkeypatch.chdir(file.parent)
    assert in_force(BY_NAME["trigger"]).origin == "default"
    monkeypatch.setenv("CONFORMARE_CONFIG", file.name)
    assert in_force(BY_NAME["trigger"]) == ("2 seconds", "file")


def test_a_file_that_has_changed_is_read_again(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A service may live for long."""
    monkeypatch.setenv("CONFORMARE_CONFIG", str(write('trigger = "2 seconds"')))
    assert in_force(BY_NAME["trigger"]).value == "2 seconds"
    write('trigger = "20 seconds"')
    assert in_force(BY_NAME["trigger"]).value == "20 seconds"


WRONG = [
    ("lak = 1", "lak is no setting; did you mean lake?"),
    ("Metrics-Port = 1", "Metrics-Port is no setting; did you mean metrics_port?"),
    ("[sink]\nlake = 1", "sink is no setting: write its settings without [sink]"),
    ("since_ = 1", "since_ is no setting: correct the name, or remove it"),
    ("once = true", "once is about one call: give it as --once of the command"),
    ("spark = 1", "spark can only be given in Python: remove it"),
    ("lake = [", "is no TOML"),
    ('metrics_port = "9464"', "metrics_port: Input should be a valid integer"),
    ("metrics_port = true", "metrics_port: Input should be a valid integer"),
    ("metrics_port = 70000", "metrics_port: Input should be less than or equal to 65535"),
    ("trigger = 5", "trigger: Input should be a valid string"),
    ('trigger = "5 parsecs"', "trigger: '5 parsecs' is not an interval such as '2 seconds'"),
    ('maintain_every = "5"', "maintain_every: '5' is not an interval"),
    ("engine = 'x'", "engine: Input should be 'auto', 'driver' or 'executors'"),
    ("lake = ''", "lake: it is empty"),
    ("lake = '  '", "lake: it is empty"),
    ("pending_days = inf", "pending_days: "),
    ("pending_days = nan", "pending_days: "),
    ("lake = 2026-01-01", "lake: "),
    ("kafka_settings = '/no/file'", "kafka_settings: /no/file cannot be read"),
]


@pytest.mark.parametrize(("text", "told"), [*WRONG, ("max_age = 26", "max_age: it is not text")])
def test_what_is_wrong_is_told_with_file_and_key(
    text: str, told: str, write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    """In one line, with exit code 2."""
    file = write(text)
    assert main(["config", "show", "--config", str(file)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert str(file) in line
    assert told in line


@pytest.mark.parametrize(("text", "told"), WRONG)
def test_a_command_tells_the_same_before_it_starts_anything(
    text: str, told: str, write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also where nothing but the file names what it needs."""
    assert main(["sink", "--config", str(write(text))]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert told in line


@pytest.mark.parametrize("name", ["none.toml", "."])
def test_a_file_that_cannot_be_read_is_told(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Not taken for one without settings."""
    assert main(["status", "--config", str(tmp_path / name)]) == 2
    assert f"{tmp_path / name} cannot be read: " in capsys.readouterr().err


def test_no_error_quotes_what_the_file_has(write: Write) -> None:
    """It may be a secret, in a wrong place."""
    for text in (f'slack = ["{SECRET}"]', f'[fleet_token]\nx = "{SECRET}"', f'slack = "{SECRET}'):
        with pytest.raises(SettingsError) as caught:
            _use_all(write(text))
        assert SECRET not in str(caught.value)


def _use_all(file: Path) -> None:
    from conformare.cli.settings import NotifySettings, ServeSettings

    with use_config_file(read_config_file(file)):
        for one in (*definitions(NotifySettings), *definitions(ServeSettings)):
            in_force(one)


def test_secrets_that_others_can_read_are_told(write: Write) -> None:
    """With the command that mends it."""
    file = write('slack = "https://hooks.example.org/x"\nlimit = 3')
    assert read_config_file(file).warning() is None
    file.chmod(0o640)
    assert read_config_file(file).warning() == (
        f"{file} holds secrets (slack) and others can read it: chmod 600 {file}"
    )
    write("limit = 3").chmod(0o644)
    assert read_config_file(file).warning() is None


def test_a_submitted_command_takes_a_file_too(write: Write) -> None:
    """`spark-submit` has no other way to say so much."""
    answer = CliRunner().invoke(app, ["status", "--config", str(write("lake = '/nowhere'"))])
    assert "there is no conformare lake at /nowhere" in answer.stderr
    assert answer.exit_code == 1
