"""The `conformare` program: which commands it finds, and how it tells an error."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import EntryPoint, version
from pathlib import Path
from types import ModuleType

import pytest
import typer

from conformare.cli import _entry_points as commands
from conformare.cli import main
from conformare_sink.cli import _console
from conformare_sink.errors import SinkError


@pytest.fixture
def register(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, object], None]:
    """Register a command by its name, as the only ones there are."""
    module = ModuleType("commands_of_a_test")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    found: list[EntryPoint] = []
    monkeypatch.setattr(commands, "entry_points", lambda **_group: tuple(found))

    def add(name: str, command: object) -> None:
        if not isinstance(command, str):
            setattr(module, name, command)
            command = f"{module.__name__}:{name}"
        found.append(EntryPoint(name, command, commands.COMMAND_GROUP))

    return add


def test_the_version_is_the_distributions(capsys: pytest.CaptureFixture[str]) -> None:
    """The one that pip shows."""
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"conformare {version('conformare-stream')}\n"


def test_a_function_and_an_app_are_both_commands(
    register: Callable[[str, object], None], capsys: pytest.CaptureFixture[str]
) -> None:
    """A single command has no sub-commands; a group has."""
    group = typer.Typer()

    @group.command()
    def inner() -> None:
        typer.echo("inner")

    @group.command()
    def other() -> None:
        typer.echo("other")

    def single(times: int = 1) -> None:
        typer.echo("single " * times)

    register("group", group)
    register("single", single)
    assert main(["group", "inner"]) == 0
    assert main(["single", "--times", "2"]) == 0
    assert capsys.readouterr().out == "inner\nsingle single \n"


def test_only_the_command_that_is_asked_for_is_imported(
    register: Callable[[str, object], None],
) -> None:
    """`conformare status` must not wait for what `conformare demo` imports."""
    register("asked", lambda: None)
    register("heavy", "conformare_does_not_exist.heavy:command")
    assert main(["asked"]) == 0


def test_a_command_whose_extra_is_missing_says_what_to_install(
    register: Callable[[str, object], None], capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever options it was given; and the list of commands still shows it."""
    register("heavy", "conformare_does_not_exist.heavy:command")
    assert main(["heavy", "--once", "x"]) == 1
    assert capsys.readouterr().err == (
        "error: `conformare heavy` needs conformare_does_not_exist: "
        'pip install "conformare-stream[sink]"\n'
    )
    assert main(["--help"]) == 0
    assert "not installed" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["nothing"], "No such command 'nothing'"),
        (["command", "--nothing"], "No such option"),
        (["command", "--times", "x"], "--times"),
        (["command", "extra"], "extra"),
    ],
)
def test_wrong_use_is_one_line_and_exit_code_2(
    arguments: list[str],
    told: str,
    register: Callable[[str, object], None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """No usage text, no box, no traceback."""

    def command(times: int = 1) -> None:
        raise AssertionError(times)

    register("command", command)
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("error: ")
    assert told in captured.err
    assert captured.err.count("\n") == 1


def test_an_error_that_carries_an_exit_code_is_told_in_one_line(
    register: Callable[[str, object], None], capsys: pytest.CaptureFixture[str]
) -> None:
    """Of whichever side it is."""

    class TellableError(Exception):
        exit_code = 3

    def command() -> None:
        raise TellableError("first\n  second")

    register("command", command)
    assert main(["command"]) == 3
    assert capsys.readouterr().err == "error: first second\n"


def test_a_fault_of_ours_keeps_its_traceback(register: Callable[[str, object], None]) -> None:
    """One line would hide where it comes from."""

    def command() -> None:
        raise ZeroDivisionError

    register("command", command)
    with pytest.raises(ZeroDivisionError):
        main(["command"])


def test_ctrl_c_is_exit_code_130(register: Callable[[str, object], None]) -> None:
    """As a shell expects it, and without a traceback."""

    def command() -> None:
        raise KeyboardInterrupt

    register("command", command)
    assert main(["command"]) == 130


def test_an_error_of_the_sink_is_told_as_it_is(
    register: Callable[[str, object], None], capsys: pytest.CaptureFixture[str]
) -> None:
    """Square brackets and long paths included: rich would swallow or break them."""
    text = "no [lake] at " + "/a-long-folder" * 20

    @_console.readable_errors
    def command() -> None:
        raise SinkError(text)

    register("command", command)
    assert main(["command"]) == 1
    assert capsys.readouterr().err == f"error: {text}\n"


@pytest.mark.parametrize(
    ("command", "extra"), [("status", "sink"), ("spool", "cli"), ("x", "sink")]
)
def test_a_job_without_the_command_line_is_told_what_to_install(
    tmp_path: Path, command: str, extra: str
) -> None:
    """`pip install conformare-stream` alone brings the program, but not typer."""
    blocked = (
        "import sys; sys.modules['typer'] = None; import conformare.cli; "
        f"sys.exit(conformare.cli.main([{command!r}]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", blocked], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert done.returncode == 1
    assert done.stderr == (
        f'error: `conformare` needs typer: pip install "conformare-stream[{extra}]"\n'
    )


@pytest.mark.parametrize("command", ["start", "stop", "status"])
def test_the_brokers_options_come_from_the_environment_too(
    command: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Here the folder is one that no broker may have."""
    (tmp_path / "somebody's.txt").touch()
    monkeypatch.setenv("CONFORMARE_BROKER_DIR", str(tmp_path))
    assert main(["broker", command]) == 1
    captured = capsys.readouterr()
    assert str(tmp_path) in captured.out + captured.err
