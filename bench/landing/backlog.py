"""20,000 runs wait: the sink, the design of the textbooks and the ceiling, on the same topics."""

from __future__ import annotations

from pathlib import Path

from bench.emission.broker import Broker
from bench.landing.figures import at_least
from bench.landing.load import load
from bench.landing.process import measured

RUNS = 20_000
PREFIX = "backlog."
MASTER = "local[2]"
MESSAGES_PER_BATCH = 50_000
RUNS_PER_SECOND, TIMES_TEXTBOOK, SHARE_OF_CEILING = 1_000.0, 5.0, 0.4


def backlog(broker: Broker, folder: Path) -> None:
    """Print runs per second of all three, and their ratios.

    Args:
        broker: The broker, which is up.
        folder: Where the lakes are.
    """
    common = {
        "servers": broker.servers,
        "master": MASTER,
        "max_messages_per_batch": MESSAGES_PER_BATCH,
    }
    ours = {**common, "lake": str(folder / "ours"), "driver_memory": None}
    # A lake is made once: the topics of the first run are empty.
    broker.create_topics("empty.")
    measured("ours", prefix="empty.", **ours)
    load(broker, PREFIX, RUNS)
    ceiling = measured("ceiling", prefix=PREFIX, lake=str(folder / "ceiling"), **common)
    (folder / "ours" / "_checkpoint").rename(folder / "checkpoint of no messages")
    sink = measured("ours", prefix=PREFIX, **ours)
    textbook = measured("textbook", prefix=PREFIX, lake=str(folder / "textbook"), **common)
    if (sink["runs"], textbook["runs"], ceiling["messages"]) != (RUNS, RUNS, RUNS * 8):
        raise RuntimeError(f"not all has landed: {sink}, {textbook}, {ceiling}")
    rate = {
        name: RUNS / of["seconds"]
        for name, of in (("sink", sink), ("textbook", textbook), ("ceiling", ceiling))
    }
    for name, of_one in rate.items():
        print(f"  {name:<10} {of_one:8,.0f} runs/s ({RUNS / of_one:.1f} s)")
    batches = ", ".join(f"{seconds:.1f}" for seconds in sink["batches"])
    print(f"  seconds of the sink's batches: {batches}")
    print(at_least("runs per second", rate["sink"], RUNS_PER_SECOND))
    print(at_least("times the textbook design", rate["sink"] / rate["textbook"], TIMES_TEXTBOOK))
    print(at_least("of the ceiling", rate["sink"] / rate["ceiling"], SHARE_OF_CEILING))
