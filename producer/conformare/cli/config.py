"""`conformare config`: which settings are in force."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Annotated, Any

import typer

from conformare.cli._commands import application
from conformare.cli.settings import ConfigShowSettings
from conformare_schemas.printable import printable
from conformare_schemas.settings import (
    Definition,
    Origin,
    config_file,
    definitions,
    in_force,
    known_models,
    misfitting_variables,
    shown,
    unknown_variables,
)
from conformare_schemas.settings.command_line import command_of, settings_of

app = typer.Typer(no_args_is_help=True, help="Show the settings in force.")

_Row = tuple[str, str, Origin]


@app.callback()
def config() -> None:
    """Show the settings in force."""


@app.command(context_settings={"allow_interspersed_args": False, "ignore_unknown_options": True})
@command_of(ConfigShowSettings)
def show(
    given: ConfigShowSettings,
    command: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[COMMAND]...",
            help="A command with its options, such as `sink --once`: it is not run.",
        ),
    ] = None,
) -> None:
    """Print each setting, its value, and where that comes from; secrets are hidden."""
    for line in (*unknown_variables(), *misfitting_variables()):
        print(f"warning: {printable(line)}", file=sys.stderr)  # noqa: T201 - a command line
    file = config_file()
    rows = list(_of_command(command) if command else _of_all())
    if given.as_json:
        names = ("name", "value", "origin")
        settings = [dict(zip(names, row, strict=True)) for row in rows]
        told = {"file": None if file is None else str(file.path), "settings": settings}
        typer.echo(json.dumps(told))
        return
    typer.echo("no configuration file" if file is None else printable(f"file: {file.path}"))
    widths = [max((len(row[column]) for row in rows), default=0) for column in (0, 1)]
    for name, value, origin in rows:
        typer.echo(f"{name:{widths[0]}}  {value:{widths[1]}}  {origin}")


def _of_all() -> Iterator[_Row]:
    """Yield the settings of this installation, whatever command uses them."""
    for one in _known().values():
        if one.is_of_file:
            found = in_force(one)
            yield one.name, printable(shown(one, found.value)), found.origin


def _of_command(words: list[str]) -> Iterator[_Row]:
    """Yield the settings of one command as it would see them."""
    command: Any = typer.main.get_command(application(words))
    names, rest = ["conformare"], list(words)
    while hasattr(command, "commands"):
        name = rest.pop(0) if rest else ""
        if name not in command.commands:
            told = ", ".join(sorted(command.commands))
            raise typer.BadParameter(f"{' '.join(names)} has the commands {told}: name one of them")
        command, names = command.commands[name], [*names, name]
    context = command.make_context(" ".join(names), rest)
    with context:
        for one, found in settings_of(command, context):
            name = one.name if one.about.has_variable else one.option
            yield name, printable(shown(one, found.value)), found.origin


def _known() -> dict[str, Definition]:
    """Return every setting by its name; of several definitions, the one that tells most."""
    found: dict[str, Definition] = {}
    for model in known_models():
        for one in definitions(model):
            if one.about.has_variable and _tells_more(one, found.get(one.name)):
                found[one.name] = one
    return dict(sorted(found.items()))


def _tells_more(one: Definition, other: Definition | None) -> bool:
    """Whether a definition is of files where another is not, or has a default."""
    return other is None or (one.is_of_file, not one.is_required) > (
        other.is_of_file,
        not other.is_required,
    )
