"""The workload is what it claims to be: reproducible, and with everything that can go wrong."""

from __future__ import annotations

import random
from collections import defaultdict

from faults.flow.unusable import Outgoing
from faults.flow.workload import STORIES, Workload
from faults.plan import Aim, planned_lives
from faults.sink_process import Victim

from conformare_schemas import RUN_GRAINS

RUNS = 150
UNUSABLE_A_RUN = 0.1
"""At least."""


def test_the_same_seed_gives_the_same_messages() -> None:
    """Byte by byte, in the same order; another seed gives others."""
    first, again, other = (list(Workload(seed, RUNS).messages()) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_whatever_may_land_is_sent_whole_and_nothing_else() -> None:
    """Message by message; unusable ones beside them, of every grain's topic."""
    workload = Workload(3, RUNS)
    sent: dict[bool, set[tuple[str, bytes | None, bytes | None]]] = defaultdict(set)
    for message in workload.messages():
        assert isinstance(message, Outgoing)
        sent[message.usable].add((message.grain, message.key, message.value))
    for emission in workload.landable.values():
        assert {(m.grain, m.key, m.value) for m in emission.messages()} <= sent[True]
    assert workload.incomplete.isdisjoint(e.run for e in workload.landable.values())
    assert len(sent[False]) >= RUNS * UNUSABLE_A_RUN
    assert {grain for grain, _, _ in sent[False]} >= set(RUN_GRAINS)


def test_declarations_are_sent_beside_the_runs_and_some_of_them_again() -> None:
    """Each of them is one message."""
    workload = Workload(4, RUNS)
    sent = [m.value for m in workload.messages() if m.grain == "source_risks" and m.usable]
    assert len(set(sent)) == len(workload.declared) > 0
    assert len(sent) > len(set(sent))


def test_a_small_series_has_everything_that_a_large_one_has() -> None:
    """Every story, every aim, every victim, an outage, a rival, a replay."""
    assert sum(STORIES.values()) <= RUNS
    lives = planned_lives(random.Random(5), 5)  # noqa: S311 - not for secrets
    assert {life.aim for life in lives} == set(Aim)
    assert {life.victim for life in lives} == set(Victim)
    for event in ("outage", "rival", "replay"):
        assert sum(getattr(life, event) for life in lives) == 1
    assert not any(life.outage and life.rival for life in lives)
