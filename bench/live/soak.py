"""Ten minutes at five runs a second: memory, batch time and files stay as they are."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.emission.broker import Broker
from bench.emission.figures import p50, percentile
from bench.landing.checkout import Checkout
from bench.landing.figures import at_most
from bench.live.arrivals import watched
from bench.live.sink import (
    LiveSink,
    await_arrival,
    await_lake,
    live_sink,
    record_at,
    resident_mb,
)
from support.lakes.view import LakeView

from conformare_schemas import RUN_GRAINS

PREFIX = "soak."
SECONDS, PER_SECOND = 600.0, 5.0
LOOK_SECONDS = 5.0
GROWTH = 1.15
LIVE_FILES = 300
"""A batch a second, for two minutes and as long as maintenance takes."""


def soak(broker: Broker, folder: Path, _other: Checkout | None) -> None:
    """Print memory, batch time and files of the last third beside those of the second.

    Args:
        broker: The broker, which is up.
        folder: Where the lake is.
    """
    lake = LakeView(str(folder / "soak"))
    broker.create_topics(PREFIX)
    with live_sink(broker, PREFIX, lake, "--maintain-every", "2 minutes") as sink:
        await_lake(sink, lake)
        with watched(lake) as arrivals, _memory(sink) as memory:
            found = await_arrival(arrivals, record_at(broker, PREFIX, PER_SECOND, SECONDS))
        seconds = [batch["seconds"] for batch in sink.batches]
        live = max(len(lake.table(grain).file_uris()) for grain in RUN_GRAINS)
        on_disk = {
            grain: len(list(Path(lake.root, grain).glob("*.parquet"))) for grain in RUN_GRAINS
        }
        code = sink.stop()
    third = len(memory) // 3
    middle, last = memory[third : 2 * third], memory[2 * third :]
    print(f"  {len(found)} runs, {len(seconds)} batches, exit code {code}")
    print(f"  freshness p50 {p50(found):.2f} s, p95 {percentile(found, 0.95):.2f} s")
    print(f"  resident memory of Python and Java: {p50(middle):,.0f} MB, then {p50(last):,.0f} MB")
    print(at_most("growth of memory", p50(last) / p50(middle), GROWTH))
    third = len(seconds) // 3
    growth = p50(seconds[2 * third :]) / p50(seconds[third : 2 * third])
    print(at_most("growth of the batch time", growth, GROWTH))
    print(at_most("files that a reader of a table opens", live, LIVE_FILES))
    print(f"  data files on disk at the end, by table: {on_disk}")


@contextmanager
def _memory(sink: LiveSink) -> Iterator[list[float]]:
    """Look at the sink's memory for the time of a block, in MB."""
    samples: list[float] = []
    over = threading.Event()

    def look() -> None:
        while not over.wait(LOOK_SECONDS):
            samples.append(resident_mb(sink.pid))

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield samples
    finally:
        over.set()
        thread.join()
