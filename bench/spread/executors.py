"""The same topics, landed by a cluster's executors and by the driver alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bench.emission.broker import Broker
from bench.landing.figures import at_least, at_most
from bench.landing.load import load
from bench.landing.process import measured
from deltalake import DeltaTable, QueryBuilder
from support.servers.cluster import LOOPBACK, Cluster, running_cluster

from conformare_schemas import RUN_GRAINS

MESSAGES_OF_A_RUN = 8
SIZES = (37_500, 375_000)
"""Runs: 300 thousand messages, and 3 million."""
RUNS_PER_CORE_SECOND, DRIVERS_SHARE, GROWTH, TIMES_TEXTBOOK = 2_500.0, 0.10, 1.15, 10.0
ON_LOOPBACK = {
    "spark.executor.memory": "1g",
    "spark.cores.max": "2",
    "spark.driver.host": LOOPBACK,
    "spark.driver.bindAddress": LOOPBACK,
}


def executors(broker: Broker, folder: Path) -> None:
    """Print what a batch of each size takes, and whether its tables are the driver's.

    Args:
        broker: The broker, which is up.
        folder: Where the lakes are.
    """
    found = [_landed(broker, folder, runs) for runs in SIZES]
    few, many = found
    runs = many["runs"] - few["runs"]
    workers, driver = (many[name] - few[name] for name in ("others_cpu", "driver_cpu"))
    # A Java that has just started compiles for many seconds; a sink does not start with each batch.
    print("  beyond the smaller batch, whose seconds are mostly those of processes that start:")
    rate = runs / workers
    print(at_least("runs for each second of an executor's core", rate, RUNS_PER_CORE_SECOND))
    share = driver / (driver + workers)
    print(at_most("the driver's share of the CPU", share, DRIVERS_SHARE))
    for what in ("Python", "Java"):
        growth = many[f"{what.lower()}_mb"] / few[f"{what.lower()}_mb"]
        print(at_most(f"memory of {what}, ten times the messages", growth, GROWTH))
    textbook = _textbook(broker, folder)
    print(f"  the textbook design lands the larger batch on the same cluster in {textbook:.0f} s")
    print(at_least("times the textbook design", textbook / many["seconds"], TIMES_TEXTBOOK))


def _landed(broker: Broker, folder: Path, runs: int) -> dict[str, Any]:
    """Let a cluster, and the driver alone, land so many runs in one batch; return the cluster's."""
    prefix = f"spread-{runs}."
    load(broker, prefix, runs)
    common: dict[str, Any] = {
        "servers": broker.servers,
        "prefix": prefix,
        "messages": runs * MESSAGES_OF_A_RUN,
        "broker": broker.pid,
    }
    place = folder / f"cluster-{runs}"
    place.mkdir()
    with running_cluster(place, worker_memory="1500m") as cluster:
        done = _by_cluster(cluster, str(folder / f"executors-{runs}"), common)
    alone = measured(
        "spread.landed",
        lake=str(folder / f"driver-{runs}"),
        master="local[2]",
        conf={},
        engine="driver",
        **common,
    )
    if {done["runs"], alone["runs"]} != {runs}:
        raise RuntimeError(f"not all has landed: {done}, {alone}")
    done["driver_cpu"] = done["python_cpu"] + done["java_cpu"]
    print(f"  {runs:,} runs in {len(done['batches'])} batch(es), {done['seconds']:.0f} s")
    for name, one in (("cluster", done), ("driver alone", alone)):
        print(
            f"    {name:<12} driver's Python {one['python_cpu']:6.1f} s of CPU, {one['python_mb']:,.0f} MB; "
            f"its Java {one['java_cpu']:6.1f} s, {one['java_mb']:,.0f} MB"
        )
    print(
        f"    {'workers':<12} {done['others_cpu']:.1f} s of CPU, with all that runs on this machine but driver and broker"
    )
    differing = _differing(str(folder / f"executors-{runs}"), str(folder / f"driver-{runs}"))
    print(at_most("rows that differ from the driver's", differing, 0))
    return done


def _by_cluster(cluster: Cluster, lake: str, common: dict[str, Any]) -> dict[str, Any]:
    return measured(
        "spread.landed",
        lake=lake,
        master=cluster.url,
        conf=ON_LOOPBACK,
        engine="executors",
        **common,
    )


def _textbook(broker: Broker, folder: Path) -> float:
    """Let the textbook design land the larger batch on such a cluster; return its seconds."""
    runs, place = SIZES[-1], folder / "textbook"
    place.mkdir()
    with running_cluster(place, worker_memory="1500m") as cluster:
        done = measured(
            "textbook",
            servers=broker.servers,
            prefix=f"spread-{runs}.",
            lake=str(place / "lake"),
            master=cluster.url,
            conf=ON_LOOPBACK,
            max_messages_per_batch=runs * MESSAGES_OF_A_RUN,
        )
    if done["runs"] != runs:
        raise RuntimeError(f"not all has landed: {done}")
    return float(done["seconds"])


def _differing(one: str, other: str) -> float:
    """Return how many rows of all tables are in one lake and not in the other, either way."""
    total = 0
    for grain in RUN_GRAINS:
        query = QueryBuilder().register("a", DeltaTable(f"{one}/{grain}"))
        query = query.register("b", DeltaTable(f"{other}/{grain}"))
        for first, second in (("a", "b"), ("b", "a")):
            sql = f"SELECT count(*) FROM (SELECT * FROM {first} EXCEPT ALL SELECT * FROM {second})"  # noqa: S608 - names above
            total += query.execute(sql).read_all()[0][0].as_py()
    return total
