"""From `record_run` to a row in `runs`: two runs a second for two minutes."""

from __future__ import annotations

from pathlib import Path

from bench.emission.broker import Broker
from bench.emission.figures import p50, percentile
from bench.landing.arrivals import watched
from bench.landing.figures import at_most
from bench.landing.live import await_arrival, await_lake, live_sink, record_at

PREFIX = "fresh."
WARM_UP_SECONDS, SECONDS, PER_SECOND = 30.0, 120.0, 2.0
P50_SECONDS, P95_SECONDS = 2.0, 4.0


def freshness(broker: Broker, folder: Path) -> None:
    """Print how long runs take to become visible.

    Args:
        broker: The broker, which is up.
        folder: Where the lake is.
    """
    lake = folder / "fresh"
    broker.create_topics(PREFIX)
    with live_sink(broker, PREFIX, lake) as sink:
        await_lake(lake)
        with watched(lake) as arrivals:
            warm_up = record_at(broker, PREFIX, PER_SECOND, WARM_UP_SECONDS)
            first = await_arrival(arrivals, warm_up)
            before = len(sink.batches)
            found = await_arrival(arrivals, record_at(broker, PREFIX, PER_SECOND, SECONDS))
        batches = [batch["seconds"] for batch in sink.batches[before:]]
        code = sink.stop()
    print(f"  the first {WARM_UP_SECONDS:.0f} s of a cold sink: p50 {p50(first):.2f} s")
    print(
        f"  {len(found)} runs, {len(batches)} batches of p50 {p50(batches):.2f} s; exit code {code}"
    )
    print(at_most("p50, seconds", p50(found), P50_SECONDS))
    print(at_most("p95, seconds", percentile(found, 0.95), P95_SECONDS))
