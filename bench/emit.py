"""What emitting a run costs: `make bench-emit` prints it, docs/operation/delivery.md keeps what was seen.

All in one run on one machine: what is compared takes turns, so that whatever else the machine does
meets all of it. Every figure comes from a process of its own. "PASS" and "MISSED" stand beside the
targets, and a figure that is not what it claims to be (a run lost, a broker that answers though it
is down) ends the bench.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

from bench.emission.broker import running_broker
from bench.emission.durable import latency_of_durable_runs
from bench.emission.imports import time_of_import
from bench.emission.rates import rate_in_memory
from bench.emission.registry import latency_beside_a_registry
from bench.emission.side_by_side import beside_openlineage

COMPARED = ("confluent-kafka", "openlineage-python")


def main() -> None:
    """Run all of it."""
    start = time.perf_counter()
    print(f"{os.cpu_count()} CPUs; {', '.join(f'{name} {version(name)}' for name in COMPARED)}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with running_broker(folder / "broker") as broker:
            _run("durable record_run", lambda: latency_of_durable_runs(broker, folder))
            _run("beside a schema registry", lambda: latency_beside_a_registry(broker, folder))
            _run('durability="memory"', lambda: rate_in_memory(broker))
            _run("beside openlineage-python", lambda: beside_openlineage(broker, folder))
    _run("import conformare", time_of_import)
    print(f"\nall in {time.perf_counter() - start:.0f} s")


def _run(title: str, part: Callable[[], None]) -> None:
    print(f"\n{title} (load {os.getloadavg()[0]:.1f} at its start)", flush=True)
    part()


if __name__ == "__main__":
    main()
