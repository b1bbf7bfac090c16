"""A backlog on one machine: one core beside two, the driver alone beside the textbook design."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bench.emission.broker import Broker
from bench.landing.figures import at_least
from bench.landing.load import load
from bench.landing.process import measured

RUNS = 60_000
MESSAGES = 240_000
"""Of a batch: half of them all."""
TIMES_ONE_CORE, TIMES_TEXTBOOK = 1.6, 10.0


def cores(broker: Broker, folder: Path) -> None:
    """Print runs per second with one core and with two, and of the textbook design with two.

    Args:
        broker: The broker, which is up.
        folder: Where the lakes are.
    """
    prefix = "cores."
    load(broker, prefix, RUNS)
    common: dict[str, Any] = {"servers": broker.servers, "prefix": prefix}
    pid: dict[str, Any] = {"broker": broker.pid}
    rate: dict[str, float] = {}
    for engine, n_cores in (("driver", 2), ("executors", 1), ("executors", 2)):
        name = f"{engine} on {n_cores}"
        done = measured(
            "spread.landed",
            lake=str(folder / name),
            master=f"local[{n_cores}]",
            conf={},
            engine=engine,
            messages=MESSAGES,
            **common,
            **pid,
        )
        if done["runs"] != RUNS:
            raise RuntimeError(f"not all has landed: {done}")
        rate[name] = RUNS / done["seconds"]
        cpu = done["python_cpu"] + done["java_cpu"]
        batches = ", ".join(f"{seconds:.1f}" for seconds in done["batches"])
        print(
            f"  {name:<14} {rate[name]:8,.0f} runs/s, driver {cpu:.0f} s of CPU; batches: {batches} s"
        )
    textbook = measured(
        "textbook",
        lake=str(folder / "textbook"),
        master="local[2]",
        max_messages_per_batch=MESSAGES,
        **common,
    )
    rate["textbook"] = RUNS / textbook["seconds"]
    print(f"  {'textbook on 2':<14} {rate['textbook']:8,.0f} runs/s")
    both = rate["executors on 2"]
    print(at_least("times as fast with two cores", both / rate["executors on 1"], TIMES_ONE_CORE))
    print(at_least("times the textbook design", both / rate["textbook"], TIMES_TEXTBOOK))
