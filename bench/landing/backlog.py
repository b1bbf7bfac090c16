"""20,000 runs wait: the sink, the design of the textbooks and the ceiling, on the same topics."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bench.emission.broker import Broker
from bench.landing.checkout import HERE, Checkout
from bench.landing.figures import at_least, beside
from bench.landing.load import load
from bench.landing.process import measured
from support.lakes.view import LakeView

RUNS = 20_000
PREFIX = "backlog."
MASTER = "local[2]"
MESSAGES_PER_BATCH = 50_000
RUNS_PER_SECOND, TIMES_TEXTBOOK, SHARE_OF_CEILING = 1_000.0, 5.0, 0.4


def backlog(broker: Broker, folder: Path, other: Checkout | None) -> None:
    """Print runs per second of all, and their ratios.

    Args:
        broker: The broker, which is up.
        folder: Where the lakes are.
        other: Another checkout whose sink is measured, too.
    """
    load(broker, PREFIX, RUNS)
    common: dict[str, Any] = {
        "servers": broker.servers,
        "prefix": PREFIX,
        "master": MASTER,
        "max_messages_per_batch": MESSAGES_PER_BATCH,
    }
    ceiling = measured("ceiling", lake=str(folder / "ceiling"), **common)
    seconds = {"ceiling": ceiling["seconds"]}
    checkouts = {"sink": HERE} if other is None else {"other": other, "sink": HERE}
    for name, checkout in checkouts.items():
        sink = landed(broker, PREFIX, LakeView(str(folder / name)), checkout)
        seconds[name] = sink["seconds"]
    textbook = measured("textbook", lake=str(folder / "textbook"), **common)
    seconds["textbook"] = textbook["seconds"]
    if (textbook["runs"], ceiling["messages"]) != (RUNS, RUNS * 8):
        raise RuntimeError(f"not all has landed: {textbook}, {ceiling}")
    rate = {name: RUNS / taken for name, taken in seconds.items()}
    for name, of_one in rate.items():
        print(f"  {name:<10} {of_one:8,.0f} runs/s ({seconds[name]:.1f} s)")
    batches = ", ".join(f"{taken:.1f}" for taken in sink["batches"])
    print(f"  seconds of the sink's batches: {batches}")
    print(at_least("runs per second", rate["sink"], RUNS_PER_SECOND))
    print(at_least("times the textbook design", rate["sink"] / rate["textbook"], TIMES_TEXTBOOK))
    print(at_least("of the ceiling", rate["sink"] / rate["ceiling"], SHARE_OF_CEILING))
    if other is not None:
        print(beside("runs per second", rate["sink"], rate["other"]))


def landed(
    broker: Broker, prefix: str, lake: LakeView, checkout: Checkout = HERE
) -> dict[str, Any]:
    """Land the backlog in a new lake, and return what the sink found.

    Args:
        broker: The broker, which is up.
        prefix: Of the topics, which hold `RUNS` runs.
        lake: The lake, which is not there yet.
        checkout: Whose sink.
    """
    given: dict[str, Any] = {
        "servers": broker.servers,
        "master": MASTER,
        "max_messages_per_batch": MESSAGES_PER_BATCH,
        "lake": lake.root,
        "driver_memory": None,
    }
    if checkout != HERE:
        # A lake is made once, which took seconds: the topics of the first run are empty.
        empty = f"{prefix}empty."
        broker.create_topics(empty)
        measured("ours", checkout, lake.storage_options, prefix=empty, **given)
        Path(lake.root, "_checkpoint").rename(f"{lake.root} checkpoint of no messages")
    sink = measured("ours", checkout, lake.storage_options, prefix=prefix, **given)
    if sink["runs"] != RUNS:
        raise RuntimeError(f"not all has landed: {sink}")
    return sink
