"""Who is told of each captured read."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType

from conformare.capture.locations import BETWEEN
from conformare.capture.source._callsite import users_frame

Listener = Callable[[list[str], FrameType | None], None]
"""Takes the locations that were read, and the user's frame that has read them."""

_listeners: list[Listener] = []


def on_read(listener: Listener) -> None:
    """Tell a listener of each captured read from now on; what it raises, the guard swallows."""
    _listeners.append(listener)


def tell_read(location: str) -> None:
    """Tell of a read.

    Args:
        location: What was read; several are joined with `BETWEEN`.
    """
    for listener in _listeners:
        listener(location.split(BETWEEN), users_frame(sys._getframe()))  # noqa: SLF001 - nothing else
