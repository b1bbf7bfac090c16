"""How long a durable `record_run` takes: with the broker up, down, and hung."""

from __future__ import annotations

from collections import defaultdict
from contextlib import ExitStack
from pathlib import Path

from bench.emission.broker import Broker
from bench.emission.figures import at_most, latencies, p50, p99
from bench.emission.jobs.job import Job, job

ROUNDS = 2
MOST_P50_MS, MOST_P99_MS = 3.0, 15.0
MOST_RATIO = 1.5
DISK_CALLS = 750
FILE_BYTES = 5_500
"""About what the typical run takes in the spool."""

PACES = {"back to back": (1_500, 0.0), "every 20 ms": (450, 0.02)}
"""Calls of one round, and the pause after each. With a pause they go on for longer than the courier
waits for a broker before it gives a batch up."""

Samples = dict[tuple[str, str], list[float]]
"""(pace, situation) → seconds of every call."""


def latency_of_durable_runs(broker: Broker, folder: Path) -> None:
    """Print latencies and targets.

    Args:
        broker: The broker, which is up.
        folder: Where the spools are: on a disk, or nothing is durable.
    """
    broker.create_topics("durable.")
    samples: Samples = defaultdict(list)
    disk: list[float] = []
    for number in range(ROUNDS):
        place = folder / f"disk-{number}"
        with job("disk", "write", folder=str(place), calls=DISK_CALLS, size=FILE_BYTES) as alone:
            alone.go()
            disk += alone.result()["seconds"]
        for situation in broker.situations:
            _measure(broker, situation, folder / f"spool-{number}-{situation}", samples)
    print(latencies("the disk alone", disk))
    for pace in PACES:
        _print(pace, {name: samples[pace, name] for name in broker.situations})


def _measure(broker: Broker, situation: str, spool: Path, samples: Samples) -> None:
    """Let the jobs deliver first; then something happens to the broker, and they go on."""
    with ExitStack() as stack:
        jobs = {
            pace: stack.enter_context(
                job(
                    "ours",
                    "latency",
                    calls=calls,
                    pause_seconds=pause,
                    bootstrap_servers=broker.servers,
                    topic_prefix="durable.",
                    spool_dir=f"{spool}-{number}",
                )
            )
            for number, (pace, (calls, pause)) in enumerate(PACES.items())
        }
        with broker.situations[situation]():
            for pace, started in jobs.items():
                samples[pace, situation] += _go(started, pace, situation)


def _go(started: Job, pace: str, situation: str) -> list[float]:
    started.go()
    told = started.result()
    seconds: list[float] = told["seconds"]
    calls, _ = PACES[pace]
    delivered = told["delivered"] > 0
    if told["spooled"] != calls or told["lost"] or delivered != (situation == "up"):
        told["seconds"] = len(seconds)
        raise RuntimeError(f"{pace}, broker {situation}: {told}")
    return seconds


def _print(pace: str, by_situation: dict[str, list[float]]) -> None:
    for situation, seconds in by_situation.items():
        print(latencies(f"{pace}, broker {situation}", seconds))
    for situation, seconds in by_situation.items():
        what = f"{pace}, broker {situation}:"
        print(at_most(f"{what} p50", 1_000 * p50(seconds), MOST_P50_MS, "ms"))
        print(at_most(f"{what} p99", 1_000 * p99(seconds), MOST_P99_MS, "ms"))
        if situation != "up":
            ratio = p99(seconds) / p99(by_situation["up"])
            print(at_most(f"{what} p99", ratio, MOST_RATIO, "times p99 with it up"))
