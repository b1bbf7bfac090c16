"""Settings as options of a command: what is given where, and which of it wins."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import pytest
import typer
from pydantic import Field
from typer.testing import CliRunner

from conformare.cli import main
from conformare_schemas.settings import About, Settings
from conformare_schemas.settings.command_line import command_of

Write = Callable[[str], Path]


class Given(Settings):
    """Settings of this test, by names that are known."""

    limit: int = Field(default=20, ge=1, description="How many.")
    metrics_host: str = Field(default="127.0.0.1", description="Where.")
    topic_prefix: str = Field(default="conformare.", description="What it begins with.")
    slack: Annotated[str | None, About(is_secret=True, has_option=False)] = Field(
        default=None, description="Whom to tell."
    )
    checkpoint: Path | None = Field(default=None, description="A folder.")
    pipeline: Annotated[list[str], About(of_one_call=True)] = Field(
        default=[], description="Which."
    )


@pytest.fixture
def given() -> Callable[..., Given]:
    """Runs a command and returns the settings that it was given."""
    found: list[Given] = []
    app = typer.Typer()

    @app.command()
    @command_of(Given)
    def keep(settings: Given) -> None:
        found.append(settings)

    def run(*arguments: str) -> Given:
        answer = CliRunner().invoke(app, list(arguments))
        assert answer.exit_code == 0, answer.output
        return found[-1]

    return run


def test_the_command_line_wins_then_the_environment_then_the_file(
    given: Callable[..., Given], write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The default is what is left."""
    file = write('limit = 2\nmetrics_host = "file"\nslack = "file"')
    monkeypatch.setenv("CONFORMARE_LIMIT", "3")
    monkeypatch.setenv("CONFORMARE_CONFIG", str(file))
    settings = given("--limit", "4")
    assert settings == Given(limit=4, metrics_host="file", slack="file")
    assert given().limit == 3
    monkeypatch.delenv("CONFORMARE_LIMIT")
    monkeypatch.delenv("CONFORMARE_CONFIG")
    assert given("--config", str(file)).limit == 2
    assert given() == Given()


def test_a_file_of_one_call_is_not_that_of_the_next(
    given: Callable[..., Given], write: Write
) -> None:
    """It ends with the command."""
    assert given("--config", str(write("limit = 2"))).limit == 2
    assert given().limit == 20


def test_a_prefix_may_be_empty(given: Callable[..., Given], write: Write) -> None:
    """Nothing else may."""
    assert given("--topic-prefix", "").topic_prefix == ""
    assert given("--config", str(write("topic_prefix = ''"))).topic_prefix == ""


def test_the_working_folder_is_a_path_like_others(given: Callable[..., Given]) -> None:
    """Only a text without anything in it names none."""
    assert given("--checkpoint", ".").checkpoint == Path()


@pytest.mark.parametrize("text", ["", "  "])
@pytest.mark.parametrize("option", ["--checkpoint", "--metrics-host", "--config"])
def test_what_names_nothing_is_refused(
    option: str, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A script's variable that is not set must not mean the working folder."""
    needed = ["--lake", "/lake", "--bootstrap-servers", "broker:9092"]
    assert main(["config", "show", "sink", *needed, option, text]) == 2
    assert f"{option} is empty" in capsys.readouterr().err


def test_a_variable_of_several_values_has_one_on_each_line(
    given: Callable[..., Given], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pipeline's name may have blanks."""
    monkeypatch.setenv("CONFORMARE_PIPELINE", "daily orders\n\nreturns\n")
    assert given().pipeline == ["daily orders", "returns"]


@pytest.mark.parametrize("command", [["topics", "check"], ["status", "--lake", "/l"], ["doctor"]])
def test_names_of_brokers_hold_no_password(
    command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """They are told wherever a broker does not answer."""
    assert main([*command, "--bootstrap-servers", "me:hunter2@127.0.0.1:1"]) == 2
    printed = capsys.readouterr().err
    assert "without user and password" in printed
    assert "hunter2" not in printed


def test_a_secret_has_no_option(capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever may list processes could read it."""
    assert main(["fleet", "serve", "--fleet-token", "x"]) == 2
    assert "No such option" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "completed"),
    [
        ("conformare sink --lak", ["--lake"]),
        ("conformare sink --engine e", ["executors"]),
        ("conformare quar", ["quarantine"]),
    ],
)
def test_a_shell_completes_commands_options_and_values(
    words: str,
    completed: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """As the script of `--show-completion bash` asks for it."""
    monkeypatch.setenv("_CONFORMARE_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", words)
    monkeypatch.setenv("COMP_CWORD", str(len(words.split()) - 1))
    with pytest.raises(SystemExit):
        main()
    assert capsys.readouterr().out.split() == completed


@pytest.mark.parametrize("text", ["slack = 'x'", "wrong = 1"])
def test_a_shell_that_completes_is_told_nothing_else(
    text: str, write: Write, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It would stand in the line that somebody types."""
    file = write(text)
    file.chmod(0o644)
    monkeypatch.setenv("CONFORMARE_CONFIG", str(file))
    monkeypatch.setenv("_CONFORMARE_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", "conformare sink --lak")
    monkeypatch.setenv("COMP_CWORD", "2")
    with pytest.raises(SystemExit):
        main()
    assert capsys.readouterr() == ("--lake\n", "")
