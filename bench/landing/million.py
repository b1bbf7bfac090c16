"""A million messages wait for a sink whose Java has one GiB."""

from __future__ import annotations

from pathlib import Path

from bench.emission.broker import Broker
from bench.landing.backlog import MASTER, MESSAGES_PER_BATCH
from bench.landing.load import load
from bench.landing.process import measured

RUNS, MESSAGES_OF_A_RUN = 125_000, 8
PREFIX = "million."
DRIVER_MEMORY = "1g"


def million(broker: Broker, folder: Path) -> None:
    """Print how long it takes, and how much memory Python has beside Java's heap.

    Args:
        broker: The broker, which is up.
        folder: Where the lake is.
    """
    load(broker, PREFIX, RUNS)
    sink = measured(
        "ours",
        servers=broker.servers,
        prefix=PREFIX,
        lake=str(folder / "million"),
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
