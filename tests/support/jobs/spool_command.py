"""`conformare spool`, called in the test's own process."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple


class Answer(NamedTuple):
    """What a command ended with, and what it printed."""

    code: int
    out: str
    err: str


Run = Callable[..., Answer]
