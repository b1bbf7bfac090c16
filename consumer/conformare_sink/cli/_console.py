"""What the sink's commands share: the two consoles, and how an error is told."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import typer
from rich.console import Console

from conformare_sink.errors import SinkError

P = ParamSpec("P")
R = TypeVar("R")

# soft_wrap: a path or an error stays in one line, to be copied and to be searched for.
out = Console(soft_wrap=True, highlight=False)
"""For results; what another program may read."""

err = Console(stderr=True, soft_wrap=True, highlight=False)
"""For progress and errors."""

FAILURE = 1


def readable_errors(command: Callable[P, R]) -> Callable[P, R]:
    """Make a command end with one line on stderr and exit code 1 where it raises a SinkError."""

    @functools.wraps(command)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except SinkError as exc:
            err.print(f"error: {exc}", markup=False, style=None)
            raise typer.Exit(FAILURE) from exc

    return wrapped
