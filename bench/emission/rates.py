"""How many runs a second are acknowledged with `durability="memory"`, against confluent-kafka."""

from __future__ import annotations

from typing import Any

from bench.emission.broker import Broker
from bench.emission.figures import at_least
from bench.emission.jobs.job import job
from bench.emission.jobs.runs import WARM_UP_CALLS

SECONDS = 10.0
LEAST_RUNS_PER_SECOND = 2_000
LEAST_SHARE = 0.5
MESSAGES_PER_RUN = 8

Program = tuple[str, str, dict[str, bool]]
"""Module, command, and what is special about it."""

OURS: dict[str, Program] = {
    "record_run": ("sustained", "whole", {}),
    "the writer alone": ("sustained", "writer_only", {}),
}
ENCODED = "the courier alone"
"""With the emissions encoded already, as raw has them: it says what the sending costs, no target."""
RAW: dict[str, Program] = {
    "raw, a callback each": ("raw", "produce", {"callbacks": True}),
    "raw, no callbacks": ("raw", "produce", {"callbacks": False}),
}
PROGRAMS = {**OURS, ENCODED: ("sustained", "courier_only", {}), **RAW}


def rate_in_memory(broker: Broker) -> None:
    """Print rates and targets: runs acknowledged, by the time until the last one was."""
    rates = {}
    for number, (name, (program, command, arguments)) in enumerate(PROGRAMS.items()):
        told = _measure(broker, f"rate-{number}.", program, command, arguments)
        rates[name] = told["runs"] / told["seconds"]
        print(
            f"  {name:<21} {rates[name]:>8,.0f} runs/s: {told['runs']:>7,} in "
            f"{told['seconds']:.1f} s, of which {told['waited']:.1f} s waiting for room; "
            f"{1e6 * told['cpu'] / told['runs']:,.0f} µs of CPU a run, "
            f"{told['cpu'] / told['seconds']:.2f} CPUs busy",
            flush=True,
        )
    for other in RAW:
        print(f"  {ENCODED} (encoded already): {rates[ENCODED] / rates[other]:.2f} of {other}")
    for name in OURS:
        print(at_least(name, rates[name], LEAST_RUNS_PER_SECOND, "runs/s"))
        for other in RAW:
            print(at_least(name, rates[name] / rates[other], LEAST_SHARE, f"of {other}"))


def _measure(
    broker: Broker, prefix: str, program: str, command: str, arguments: dict[str, Any]
) -> dict[str, Any]:
    broker.create_topics(prefix)
    started = job(
        program,
        command,
        seconds=SECONDS,
        bootstrap_servers=broker.servers,
        topic_prefix=prefix,
        **arguments,
    )
    with started as running:
        running.go()
        told = running.result()
    expected = MESSAGES_PER_RUN * (WARM_UP_CALLS + told["runs"])
    found = broker.n_messages(prefix)
    if found != expected:
        raise RuntimeError(f"{prefix}: {expected} messages were acknowledged, {found} are there")
    return told
