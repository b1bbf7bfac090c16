"""A lake of a million runs is opened; another checkout opens its own."""

from __future__ import annotations

from pathlib import Path

from bench.emission.broker import Broker
from bench.landing.checkout import Checkout
from bench.landing.figures import at_most, beside
from bench.landing.process import measured
from support.lakes.view import LakeView

RUNS = 1_000_000
SECONDS = 1.0
PREFIX = "opening."


def opening(broker: Broker, folder: Path, other: Checkout | None) -> None:
    """Print how long it takes.

    Args:
        broker: The broker, which is up.
        folder: Where the lakes are.
        other: Another checkout, which fills its lake and lands some batches in it first.
    """
    here = opened(LakeView(str(folder / "opened")))
    print(at_most(f"a lake of {RUNS:,} runs opened, seconds", here, SECONDS))
    if other is not None:
        broker.create_topics(PREFIX)
        there = measured(
            "filled",
            other,
            servers=broker.servers,
            prefix=PREFIX,
            lake=str(folder / "opened there"),
            runs=RUNS,
            in_order=True,
        )
        # What it measures there is the reading of the known runs alone.
        print(beside("that lake opened, seconds", here, there["opening"]))


def opened(lake: LakeView) -> float:
    """Return in how many seconds a lake of a million runs is opened for landing.

    Args:
        lake: Where it is made.
    """
    found = measured("known.opened", environment=lake.storage_options, lake=lake.root, runs=RUNS)
    return float(found["opening"])
