"""The bench's jobs that emit as much as they can with `durability="memory"`, for a time."""

from __future__ import annotations

import itertools
import random
import time
from collections.abc import Callable
from typing import Any, Protocol

from bench.emission.jobs.encoded import encoded_emissions, numbered_records
from bench.emission.jobs.job import await_go, say, serve
from bench.emission.jobs.runs import PIPELINE, WARM_UP_CALLS
from support.messages.typical import typical_store

import conformare as cf
from conformare.emission import KafkaOptions, kafka_writer
from conformare.emission._courier import Courier
from conformare.emission._parcel import Parcel
from conformare.emission._stats import Ledger

EMISSIONS = 1_000
LOOK_EVERY = 250
FULL_BYTES, ROOM_BYTES = 40 * 2**20, 20 * 2**20
"""When a job that outruns its broker waits, and until when: memory holds 64 MiB, then loses."""
FLUSH_SECONDS = 60.0


class _Delivery(Protocol):
    def flush(self, timeout_seconds: float) -> int: ...
    def stats(self) -> cf.DeliveryStats: ...


def main() -> None:
    """Run one of the jobs."""
    random.seed(5)  # the courier's jitter
    serve({"whole": whole, "writer_only": writer_only, "courier_only": courier_only})


def whole(seconds: float, **options: Any) -> None:
    """Tell how many runs a second `record_run` gets acknowledged."""
    captured = typical_store()
    options = {"durability": "memory", **options}
    cf.configure_store(writer="kafka", **options)
    writer = kafka_writer(KafkaOptions(**options))
    _sustain(lambda _: cf.record_run(PIPELINE, store=captured), writer, seconds)


def writer_only(seconds: float, **options: Any) -> None:
    """Tell how many runs a second the writer gets acknowledged, of records that are built."""
    writer = kafka_writer(KafkaOptions(durability="memory", **options))
    record_of = numbered_records()
    _sustain(lambda number: writer.write(record_of(number)), writer, seconds)


def courier_only(seconds: float, **options: Any) -> None:
    """Tell how many runs a second the courier gets acknowledged, of emissions that are encoded."""
    courier = _Courier(KafkaOptions(durability="memory", **options), None, Ledger())
    emissions = encoded_emissions(EMISSIONS)

    def accept(number: int) -> None:
        emission = emissions[number % EMISSIONS]
        size = emission.size_bytes
        if not courier.accept(Parcel(size, emission.recorded_at, emission, file=None, own=True)):
            raise RuntimeError("memory is full")

    _sustain(accept, courier, seconds)


class _Courier(Courier):
    def flush(self, timeout_seconds: float) -> int:
        self.wait(lambda: self.own_undelivered() == 0, timeout_seconds)
        return self.own_undelivered()


def _sustain(write: Callable[[int], object], delivery: _Delivery, seconds: float) -> None:
    for number in range(WARM_UP_CALLS):
        write(number)
    _flush(delivery)
    await_go()
    waited = 0.0
    cpu_before, start = time.process_time(), time.perf_counter()
    for number in itertools.count():
        if time.perf_counter() - start >= seconds:
            break
        write(number)
        if number % LOOK_EVERY == 0:
            waited += _make_room(delivery)
    _flush(delivery)
    took, cpu = time.perf_counter() - start, time.process_time() - cpu_before
    stats = delivery.stats()
    if stats.lost or stats.delivered != WARM_UP_CALLS + number:
        raise RuntimeError(f"not everything was delivered: {stats}")
    say(runs=number, seconds=took, waited=waited, cpu=cpu)


def _make_room(delivery: _Delivery) -> float:
    """Wait where too much waits already; return for how many seconds."""
    start = time.perf_counter()
    if delivery.stats().waiting_bytes < FULL_BYTES:
        return 0.0
    while delivery.stats().waiting_bytes > ROOM_BYTES:
        delivery.flush(0.02)
    return time.perf_counter() - start


def _flush(delivery: _Delivery) -> None:
    left = delivery.flush(FLUSH_SECONDS)
    if left:
        raise RuntimeError(f"{left} runs were not acknowledged: {delivery.stats()}")


if __name__ == "__main__":
    main()
