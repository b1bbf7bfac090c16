"""The same broker, the same machine: `record_run` beside openlineage-python's Kafka transport."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from bench.emission.broker import Broker
from bench.emission.figures import latencies
from bench.emission.jobs.job import Job, bare_environment, job
from bench.emission.jobs.runs import numbered

ROUNDS = 3
PACES = {"back to back": (200, 0.0), "every 20 ms": (100, 0.02)}
BLOCKED_SECONDS, SEND_SECONDS = 20.0, 90.0
RUNS = 200
TOPIC = "openlineage.events"
OURS, THEIRS = "conformare", "openlineage"


def beside_openlineage(broker: Broker, folder: Path) -> None:
    """Print latencies and losses of both.

    Args:
        broker: The broker, which is up.
        folder: Where our spools are.
    """
    broker.create_topics("beside.")
    broker.create_topic(TOPIC)
    for situation in ("up", "down"):
        broker.create_topics(_prefix(situation))
        broker.create_topic(_topic(situation))
    _latencies_up(_Jobs(broker, folder / "spool-beside"))
    for situation in ("up", "down"):
        _exits(broker, situation, folder / f"spool-exit-{situation}")
    # Last of all: a broker that was hung for long is slow for a while.
    for situation in ("down", "hung"):
        _one_call(broker, situation, _Jobs(broker, folder / f"spool-beside-{situation}"))


class _Jobs:
    """The jobs that measure latencies, by who is measured."""

    def __init__(self, broker: Broker, spool: Path) -> None:
        self._ours = {
            "bootstrap_servers": broker.servers,
            "topic_prefix": "beside.",
            "spool_dir": str(spool),
        }
        self._theirs: dict[str, Any] = {"servers": broker.servers, "topic": TOPIC}

    def start(self, who: str, calls: int, pause: float) -> AbstractContextManager[Job]:
        program, arguments = ("ours", self._ours) if who == OURS else ("peer", self._theirs)
        return job(program, "latency", calls=calls, pause_seconds=pause, **arguments)


def _latencies_up(jobs: _Jobs) -> None:
    samples: dict[tuple[str, str], list[float]] = {}
    sizes: dict[str, int] = {}
    for _ in range(ROUNDS):
        for pace, (calls, pause) in PACES.items():
            for who in (OURS, THEIRS):
                with jobs.start(who, calls, pause) as started:
                    started.go()
                    told = started.result()
                samples.setdefault((pace, who), []).extend(told["seconds"])
                sizes[who] = told["size"]
    print(f"  {OURS}: record_run, from the capture to the disk")
    print(f"  {THEIRS}: emit of an event that is made already, to the acknowledgement")
    print(f"  bytes of a run: {', '.join(f'{who} {size:,}' for who, size in sizes.items())}")
    for (pace, who), seconds in samples.items():
        print(latencies(f"{who}, {pace}, broker up", seconds))


def _one_call(broker: Broker, situation: str, jobs: _Jobs) -> None:
    """Print how long one call takes when the broker has gone after some that it had answered."""
    with (
        jobs.start(OURS, 1, 0) as ours,
        jobs.start(THEIRS, 1, 0) as theirs,
        broker.situations[situation](),
    ):
        for who, started in ((OURS, ours), (THEIRS, theirs)):
            started.go()
            told = started.listen(BLOCKED_SECONDS)
            took = (
                f"blocked for more than {BLOCKED_SECONDS:g} s, killed"
                if told is None
                else f"{1_000 * told['seconds'][0]:.2f} ms"
            )
            print(f"  {who}, one call, broker {situation}: {took}", flush=True)


def _exits(broker: Broker, situation: str, spool: Path) -> None:
    """Print how many runs are missing after `os._exit`, when the broker is up again."""
    theirs: dict[str, Any] = {"servers": broker.servers, "topic": _topic(situation)}
    if situation != "up":
        # With the default settings no call returns, as is seen below: nothing to leave.
        theirs["flush"] = False
    with (
        job(
            "ours",
            "leave",
            runs=RUNS,
            bootstrap_servers=broker.servers,
            topic_prefix=_prefix(situation),
            spool_dir=str(spool),
        ) as our_job,
        job("peer", "leave", runs=RUNS, **theirs) as their_job,
        broker.situations[situation](),
    ):
        for started in (our_job, their_job):
            started.go()
            started.await_end()
    left = len(list(spool.rglob("*.emission")))
    _send(spool)
    landed = {
        f"{OURS} ({left} sent from the spool afterwards)": _ours_in(broker, situation),
        f"{THEIRS}{'' if situation == 'up' else ' (flush=False)'}": _theirs_in(broker, situation),
    }
    print(f"  os._exit after the last of {RUNS} calls, broker {situation}:")
    for who, found in landed.items():
        expected = [numbered(number) for number in range(RUNS)]
        missing = sum(run_id not in found for run_id in expected)
        twice = sum(found[run_id] > 1 for run_id in expected)
        print(f"    {who}: {missing} lost, {twice} more than once in the topic", flush=True)


def _prefix(situation: str) -> str:
    return f"exit-{situation}."


def _topic(situation: str) -> str:
    return f"openlineage.exit-{situation}"


def _ours_in(broker: Broker, situation: str) -> Counter[str]:
    return Counter(key for key, _ in broker.messages(f"{_prefix(situation)}runs"))


def _theirs_in(broker: Broker, situation: str) -> Counter[str]:
    events = broker.messages(_topic(situation))
    return Counter(json.loads(value)["run"]["runId"] for _, value in events)


def _send(spool: Path) -> None:
    """Send what the job left, as an operator would."""
    program = Path(sys.executable).with_name("conformare")
    subprocess.run(
        [program, "spool", "send", "--spool-dir", spool],
        env=bare_environment(),
        check=True,
        capture_output=True,
        timeout=SEND_SECONDS,
    )
