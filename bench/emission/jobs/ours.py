"""The bench's jobs that record runs durably, with everything as it is by default."""

from __future__ import annotations

import os
import random
import time
from typing import Any

from bench.emission.jobs.encoded import encoded_emissions
from bench.emission.jobs.job import await_go, say, serve
from bench.emission.jobs.runs import PIPELINE, WARM_UP_CALLS, numbered
from support.messages.typical import typical_store

import conformare as cf

FLUSH_SECONDS = 60.0


def main() -> None:
    """Run one of the jobs."""
    random.seed(5)  # the courier's jitter
    serve({"latency": latency, "leave": leave})


def latency(calls: int, pause_seconds: float, **options: Any) -> None:
    """Tell how long each call of `record_run` takes, beginning with a job that has delivered."""
    captured = typical_store()
    cf.configure_store(writer="kafka", **options)
    for _ in range(WARM_UP_CALLS):
        cf.record_run(PIPELINE, store=captured)
    _flush()
    before = cf.delivery_stats()
    await_go()
    seconds = []
    for _ in range(calls):
        start = time.perf_counter()
        cf.record_run(PIPELINE, store=captured)
        seconds.append(time.perf_counter() - start)
        if pause_seconds:
            time.sleep(pause_seconds)
    after = cf.delivery_stats()
    (emission,) = encoded_emissions(1)
    say(
        seconds=seconds,
        spooled=after.spooled - before.spooled,
        delivered=after.delivered - before.delivered,
        lost=sum(after.lost.values()),
        size=emission.size_bytes,
    )
    os._exit(0)  # without the time that an exit waits for a broker which is down


def leave(runs: int, **options: Any) -> None:
    """Record runs, and end the process without a word as soon as the last call has returned."""
    captured = typical_store()
    cf.configure_store(writer="kafka", **options)
    cf.record_run(PIPELINE, store=captured)
    _flush()
    await_go()
    for number in range(runs):
        cf.record_run(PIPELINE, store=captured, run_id=numbered(number))
    os._exit(0)


def _flush() -> None:
    left = cf.flush(FLUSH_SECONDS)
    if left:
        raise RuntimeError(f"{left} runs were not acknowledged: {cf.delivery_stats()}")


if __name__ == "__main__":
    main()
