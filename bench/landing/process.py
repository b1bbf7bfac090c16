"""Programs of the bench that run the sink, each in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

from bench.landing.checkout import HERE, Checkout

LONGEST_SECONDS = 1_800.0


def measured(
    program: str,
    checkout: Checkout = HERE,
    environment: Mapping[str, str] | None = None,
    **arguments: Any,
) -> dict[str, Any]:
    """Run a program of the bench and return what it found.

    Args:
        program: Name of its module in `bench.landing`, or with a dot in it in `bench`.
        checkout: Whose program, and whose sink.
        environment: What it is told beside that: credentials of a store.
        arguments: What its `arguments` returns.
    """
    module = f"bench.{program if '.' in program else f'landing.{program}'}"
    command = [sys.executable, "-m", module, json.dumps(arguments)]
    done = subprocess.run(
        command,
        cwd=checkout.root,
        env={**checkout.environment, **(environment or {})},
        stdout=subprocess.PIPE,
        check=True,
        timeout=LONGEST_SECONDS,
    )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def arguments() -> dict[str, Any]:
    """Return the keywords that `measured` was called with."""
    given: dict[str, Any] = json.loads(sys.argv[1])
    return given


def found(**figures: Any) -> None:
    """Tell what was found; the last thing that a program prints."""
    print(json.dumps(figures))
