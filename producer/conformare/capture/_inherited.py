"""Variables of the context that threads and tasks of pools inherit from where they are begun.

Python hands a context on to asyncio's tasks and to `asyncio.to_thread`, but neither to a thread nor
to a task of a pool. These variables say what is open; `_threads` carries them over.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar, Token
from functools import partial
from typing import Any, TypeVar

T = TypeVar("T")

_variables: list[ContextVar[Any]] = []
_defaults: list[Any] = []

Values = tuple[Any, ...]
"""The value of each variable."""


def inherited(name: str, default: T) -> ContextVar[T]:
    """Make a variable of the context that threads and tasks of pools inherit.

    Args:
        name: Name of the variable.
        default: Its value where nothing is open.
    """
    variable = ContextVar(name, default=default)
    _variables.append(variable)
    _defaults.append(default)
    return variable


def what_is_open() -> Values | None:
    """Return what is open here, None if that is nothing."""
    for variable, default in zip(_variables, _defaults, strict=True):
        if variable.get() is not default:
            return tuple(each.get() for each in _variables)
    return None


class Carried:
    """A function that runs inside what was open where it was handed over."""

    __slots__ = ("_function", "_values")

    def __init__(self, function: Callable[..., Any], values: Values | None = None) -> None:
        """Carry a function.

        Args:
            function: The function.
            values: What is open while it runs; None for nothing.
        """
        self._function = function
        self._values = tuple(_defaults) if values is None else values

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        tokens: list[tuple[ContextVar[Any], Token[Any]]] = [
            (variable, variable.set(value))
            for variable, value in zip(_variables, self._values, strict=True)
        ]
        try:
            return self._function(*args, **kwargs)
        finally:
            for variable, token in tokens:
                variable.reset(token)

    def __getattr__(self, name: str) -> Any:
        # Who looks at a function that has been handed over sees the one that was.
        return getattr(self._function, name)

    def __reduce__(self) -> tuple[Any, ...]:
        # What is open here is of no use to another process, and could not go there.
        return partial, (self._function,)
