"""What executors are worth: `make bench-cluster` prints it, docs/scale.md keeps what was seen.

A standalone cluster, two workers with a core each, the driver and the broker all share this machine. So it is
seconds of CPU that count, for each process. "PASS" and "MISSED" stand beside the targets.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bench.emission.broker import Broker, running_broker
from bench.spread.cores import cores
from bench.spread.executors import executors

PARTS: dict[str, Callable[[Broker, Path], None]] = {"executors": executors, "cores": cores}


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description="What executors are worth.")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; all")
    asked = parser.parse_args()
    if unknown := set(asked.parts) - set(PARTS):
        parser.error(f"there is no {', '.join(sorted(unknown))}")
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with running_broker(folder / "broker") as broker:
            for part in asked.parts or PARTS:
                print(f"\n{part} (load {os.getloadavg()[0]:.1f} at its start)", flush=True)
                PARTS[part](broker, folder)
    print(f"\nall in {time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
