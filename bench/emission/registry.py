"""How long `record_run` takes beside a Schema Registry that is dead or hung, against none at all."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

from bench.emission.broker import Broker
from bench.emission.durable import MOST_RATIO, PACES
from bench.emission.figures import at_most, latencies, p99
from bench.emission.jobs.job import job
from support.servers.registry import silent_server

ROUNDS = 2
NOBODY = "http://127.0.0.1:1"


def latency_beside_a_registry(broker: Broker, folder: Path) -> None:
    """Print latencies, and the target of each situation.

    Args:
        broker: The broker, which is up.
        folder: Where the spools are: on a disk, or nothing is durable.
    """
    broker.create_topics("registry.")
    samples: dict[tuple[str, str], list[float]] = defaultdict(list)
    with silent_server() as silent:
        situations = {"none": None, "dead": NOBODY, "hung": silent}
        for number in range(ROUNDS):
            for situation, url in situations.items():
                for pace in PACES:
                    spool = folder / f"registry-{number}-{situation}-{pace.replace(' ', '-')}"
                    samples[pace, situation] += _seconds(broker, pace, url, spool)
    for (pace, situation), seconds in samples.items():
        print(latencies(f"{pace}, registry {situation}", seconds))
    for (pace, situation), seconds in samples.items():
        if situation != "none":
            ratio = p99(seconds) / p99(samples[pace, "none"])
            what = f"{pace}, registry {situation}: p99"
            print(at_most(what, ratio, MOST_RATIO, "times p99 with none"))


def _seconds(broker: Broker, pace: str, url: str | None, spool: Path) -> list[float]:
    """Return how long each call took; all runs are delivered."""
    calls, pause = PACES[pace]
    options = {} if url is None else {"schema_registry_url": url}
    with job(
        "ours",
        "latency",
        calls=calls,
        pause_seconds=pause,
        bootstrap_servers=broker.servers,
        topic_prefix="registry.",
        spool_dir=str(spool),
        **options,
    ) as started:
        started.go()
        told = started.result()
    if told["spooled"] != calls or told["lost"] or not told["delivered"]:
        raise RuntimeError(f"{pace}, registry at {url}: {told['delivered']} delivered")
    seconds: list[float] = told["seconds"]
    return seconds
