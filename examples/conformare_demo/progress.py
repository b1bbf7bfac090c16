"""How far the demo is: a spinner while a step takes, and a line with its time when it is done."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from conformare_sink.cli._console import tell, waiting


@contextmanager
def step(what: str) -> Iterator[None]:
    """Show a step; one that fails leaves its line to the error.

    Args:
        what: What is being done.
    """
    began = time.monotonic()
    with waiting(what):
        yield
    tell(f"{time.monotonic() - began:6.1f} s  {what}")
