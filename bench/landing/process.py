"""Programs of the bench that run Spark, each in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

LONGEST_SECONDS = 1_800.0


def measured(program: str, **arguments: Any) -> dict[str, Any]:
    """Run `bench.landing.<program>` and return what it found.

    Args:
        program: Name of the module; it calls `serve`.
        arguments: Keywords of its function.
    """
    command = [sys.executable, "-m", f"bench.landing.{program}", json.dumps(arguments)]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, timeout=LONGEST_SECONDS)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def arguments() -> dict[str, Any]:
    """Return the keywords that `measured` was called with."""
    given: dict[str, Any] = json.loads(sys.argv[1])
    return given


def found(**figures: Any) -> None:
    """Tell what was found; the last thing that a program prints."""
    print(json.dumps(figures))
