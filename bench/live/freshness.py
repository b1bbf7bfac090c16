"""From `record_run` to a row in `runs`: two runs a second for two minutes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bench.emission.broker import Broker
from bench.emission.figures import p50, percentile
from bench.landing.checkout import HERE, Checkout
from bench.landing.figures import at_most, beside
from bench.live.arrivals import watched
from bench.live.sink import await_arrival, await_lake, live_sink, record_at
from support.lakes.view import LakeView

PREFIX = "fresh."
WARM_UP_SECONDS, SECONDS, PER_SECOND = 30.0, 120.0, 2.0
P50_SECONDS, P95_SECONDS, BATCH_SECONDS, NEW_LAKE_SECONDS = 0.7, 4.0, 0.15, 1.0


@dataclass(frozen=True)
class Freshness:
    """How fresh the runs of a lake were.

    Attributes:
        cold: From `record_run` to the row, in seconds, while the sink warms up.
        ages: The same, when it is warm.
        batches: Seconds of each batch then.
        new_lake: Seconds from a Spark that is up to a lake whose tables are there.
    """

    cold: list[float]
    ages: list[float]
    batches: list[float]
    new_lake: float

    @property
    def p50(self) -> float:
        """The median age, in seconds."""
        return p50(self.ages)

    @property
    def p95(self) -> float:
        """The age that one run of twenty exceeds, in seconds."""
        return percentile(self.ages, 0.95)

    @property
    def batch(self) -> float:
        """The median batch, in seconds."""
        return p50(self.batches)


def measure(broker: Broker, prefix: str, lake: LakeView, checkout: Checkout = HERE) -> Freshness:
    """Run a sink, record runs, and return how fresh they were.

    Args:
        broker: The broker, which is up.
        prefix: Of the topics, which are made.
        lake: The lake, which is not there yet.
        checkout: Whose sink.
    """
    broker.create_topics(prefix)
    with live_sink(broker, prefix, lake, checkout=checkout) as sink:
        new_lake = await_lake(sink, lake)
        with watched(lake) as arrivals:
            warm_up = record_at(broker, prefix, PER_SECOND, WARM_UP_SECONDS)
            cold = await_arrival(arrivals, warm_up)
            before = len(sink.batches)
            ages = await_arrival(arrivals, record_at(broker, prefix, PER_SECOND, SECONDS))
        batches = [batch["seconds"] for batch in sink.batches[before:]]
        code = sink.stop()
    if code:
        raise RuntimeError(f"the sink ended with exit code {code}")
    return Freshness(cold, ages, batches, new_lake)


def freshness(broker: Broker, folder: Path, other: Checkout | None) -> None:
    """Print how long runs take to become visible.

    Args:
        broker: The broker, which is up.
        folder: Where the lakes are.
        other: Another checkout whose sink is measured, too.
    """
    there = None
    if other is not None:
        there = measure(broker, "other.", LakeView(str(folder / "other")), other)
    here = measure(broker, PREFIX, LakeView(str(folder / "fresh")))
    print(f"  the first {WARM_UP_SECONDS:.0f} s of a cold sink: p50 {p50(here.cold):.2f} s")
    print(f"  {len(here.ages)} runs, {len(here.batches)} batches")
    print(at_most("p50, seconds", here.p50, P50_SECONDS))
    print(at_most("p95, seconds", here.p95, P95_SECONDS))
    print(at_most("batch p50, seconds", here.batch, BATCH_SECONDS))
    print(at_most("a new lake, seconds", here.new_lake, NEW_LAKE_SECONDS))
    if there is not None:
        print(beside("p50, seconds", here.p50, there.p50))
        print(beside("p95, seconds", here.p95, there.p95))
        print(beside("batch p50, seconds", here.batch, there.batch))
        print(beside("a new lake, seconds", here.new_lake, there.new_lake))
