"""A million messages wait for a sink whose Java has one GiB."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bench.emission.broker import Broker
from bench.landing.backlog import MASTER, MESSAGES_PER_BATCH
from bench.landing.checkout import HERE, Checkout
from bench.landing.figures import beside
from bench.landing.load import load
from bench.landing.process import measured

RUNS, MESSAGES_OF_A_RUN = 125_000, 8
PREFIX = "million."
DRIVER_MEMORY = "1g"


def million(broker: Broker, folder: Path, other: Checkout | None) -> None:
    """Print how long it takes, and how much memory Python has beside Java's heap.

    Args:
        broker: The broker, which is up.
        folder: Where the lakes are.
        other: Another checkout whose sink is measured, too.
    """
    load(broker, PREFIX, RUNS)
    found: dict[Checkout, dict[str, Any]] = {}
    for checkout in (HERE,) if other is None else (other, HERE):
        sink = found[checkout] = measured(
            "ours",
            checkout,
            servers=broker.servers,
            prefix=PREFIX,
            lake=str(folder / f"million of {len(found)}"),
            master=MASTER,
            driver_memory=DRIVER_MEMORY,
            max_messages_per_batch=MESSAGES_PER_BATCH,
        )
        if sink["runs"] != RUNS:
            raise RuntimeError(f"not all has landed: {sink}")
    batches = sink["batches"]
    print(
        f"  {RUNS * MESSAGES_OF_A_RUN:,} messages, {RUNS:,} runs, in {sink['seconds']:.0f} s and "
        f"{len(batches)} batches: {RUNS / sink['seconds']:,.0f} runs/s"
    )
    print(f"  longest batch {max(batches):.1f} s; heap of Java {DRIVER_MEMORY}")
    print(f"  most memory of Python {sink['python_mb']:,.0f} MB")
    if other is not None:
        print(beside("seconds", sink["seconds"], found[other]["seconds"]))
        print(beside("MB of Python", sink["python_mb"], found[other]["python_mb"]))
