"""The page of the commands: typer's own tree of them."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import typer

from conformare.cli._commands import application
from conformare.cli._entry_points import registered_commands
from support.reference.markdown import NOTE, code, joined, table

OURS = ("conformare.", "conformare_sink.")

INTRO = """\
`conformare COMMAND --help` prints the same.
Wrong use ends with exit code 2, a failure with 1. Either way, one line says what to do.
`conformare --install-completion` lets your shell complete commands, options and values.
Every command with settings also takes `--config FILE`, a [configuration file](../howto/configure.md)."""


def page() -> str:
    """Return the page."""
    return joined(_parts())


def _parts() -> Iterator[str]:
    yield from ("# Commands", NOTE, INTRO)
    root: Any = typer.main.get_command(application([]))
    for name, entry in sorted(registered_commands().items()):
        if entry.value.startswith(OURS):
            yield from _command(root.commands[name], name, "##")


def _command(command: Any, name: str, heading: str) -> Iterator[str]:
    yield f"{heading} conformare {name}"
    yield inspect.cleandoc(command.help or "")
    for inner, one in sorted(getattr(command, "commands", {}).items()):
        yield from _command(one, f"{name} {inner}", f"{heading}#")
    if hasattr(command, "commands"):
        return
    arguments = [one for one in command.params if one.param_type_name == "argument"]
    options = [
        one
        for one in command.params
        if one.param_type_name == "option" and one.name not in ("config", "help")
    ]
    words = " ".join(_metavar(one) for one in arguments)
    yield f"```\nconformare {name} [OPTIONS] {words}".rstrip() + "\n```"
    if arguments:
        yield table(
            ("argument", "description"),
            [(code(_metavar(one)), one.help or "") for one in arguments],
        )
    if options:
        yield table(
            ("option", "value", "default", "environment", "description"),
            [
                (
                    " ".join(map(code, one.opts)),
                    _value(one),
                    _default(one),
                    code(one.envvar or ""),
                    one.help or "",
                )
                for one in options
            ],
        )


def _metavar(parameter: Any) -> str:
    return parameter.metavar or str(parameter.name).upper()


def _value(option: Any) -> str:
    kind = option.type_descriptor.annotation
    if option.is_flag:
        return ""
    if option.metavar:
        return str(option.metavar).replace("|", " or ")
    if isinstance(kind, type) and issubclass(kind, Enum):
        return " ".join(code(one.value) for one in kind)
    if get_origin(kind) is Literal:
        return " ".join(map(code, get_args(kind)))
    return {int: "integer", float: "number", Path: "path"}.get(kind, "text")


def _default(option: Any) -> str:
    if option.required:
        return "required"
    if isinstance(option.show_default, str):
        return str(option.show_default)
    if option.is_flag or option.default is None or callable(option.default):
        return ""
    return code(str(getattr(option.default, "value", option.default)))
