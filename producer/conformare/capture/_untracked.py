"""Calls that are not steps: those inside a tracked call, and those of our own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_suspended: ContextVar[bool] = ContextVar("conformare_suspended", default=False)


def is_suspended() -> bool:
    """Whether calls made here are not to be recorded."""
    return _suspended.get()


@contextmanager
def untracked() -> Iterator[None]:
    """Record no step, read or write of the block, in this thread or task."""
    token = _suspended.set(True)
    try:
        yield
    finally:
        _suspended.reset(token)
