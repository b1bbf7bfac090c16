"""What a question takes: seconds of CPU, and the most memory of its process."""

from __future__ import annotations

import time
from collections.abc import Callable, Sized
from typing import Any, NamedTuple

from bench.spread.cpu import peak_mb


class Used(NamedTuple):
    """What was measured."""

    cpu_seconds: float
    peak_mb: float
    rows: int


def python_used(ask: Callable[[], Any]) -> Used:
    """Return what a call takes in this process.

    Args:
        ask: The call.
    """
    before = time.process_time()
    found = ask()
    cpu = time.process_time() - before
    return Used(cpu, peak_mb(), len(found) if isinstance(found, Sized) else 1)
