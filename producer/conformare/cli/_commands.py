"""The command line, made of the registered commands; only the one that is asked for is imported."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version
from typing import Annotated, Any

import typer

from conformare._version import DISTRIBUTION
from conformare.cli._entry_points import asked_command, install_hint, registered_commands


class CommandNotInstalledError(Exception):
    """The command's own dependencies are not installed."""

    exit_code = 1


def application(arguments: list[str]) -> typer.Typer:
    """Return the command line, with the command that the arguments ask for, or with all of them.

    Args:
        arguments: What follows the program's name.

    Raises:
        CommandNotInstalledError: The one that is asked for lacks something to import.
    """
    app = typer.Typer(
        pretty_exceptions_enable=False,
        help="Governance recording for data pipelines.",
    )
    app.callback(invoke_without_command=True)(_root)
    commands = registered_commands()
    asked = asked_command(arguments)
    wanted = [asked] if asked in commands else sorted(commands)
    for name in wanted:
        try:
            command: typer.Typer | Callable[..., Any] = commands[name].load()
        except ModuleNotFoundError as exc:
            if name == asked:
                raise CommandNotInstalledError(
                    f"`conformare {name}` needs {exc.name}: {install_hint(arguments)}"
                ) from exc
            app.command(name, help=f"(not installed: {install_hint([name])})")(_do_nothing)
            continue
        if isinstance(command, typer.Typer):
            app.add_typer(command, name=name)
        else:
            app.command(name)(command)
    return app


def _do_nothing() -> None:
    """Stand in the list of commands for one that is not installed; asked for, it is not reached."""


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"conformare {version(DISTRIBUTION)}")
        raise typer.Exit


def _root(
    context: typer.Context,
    _version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
