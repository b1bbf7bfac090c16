"""What executors are worth: `make bench-cluster` prints it, docs/scale.md keeps what was seen.

A standalone cluster, two workers with a core each, the driver and the broker all share this machine. So it is
seconds of CPU that count, for each process. "PASS" and "MISSED" stand beside the targets.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from bench.emission.broker import Broker
from bench.parts import asked, run
from bench.spread.cores import cores
from bench.spread.executors import executors

PARTS: dict[str, Callable[[Broker, Path], None]] = {"executors": executors, "cores": cores}


def main() -> None:
    """Run what was asked for."""
    found = asked(argparse.ArgumentParser(description="What executors are worth."), PARTS)
    run({name: PARTS[name] for name in found.parts})


if __name__ == "__main__":
    main()
