"""The lives of a series' sinks, drawn from a seed: what each is to be doing when it is killed."""

from __future__ import annotations

import itertools
import random
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TypeVar

from faults.sink_process import Victim

T = TypeVar("T")


class Aim(Enum):
    """What a kill waits for, before a last random delay."""

    START_UP = "while Python and Java start"
    OPENING = "while it opens the lake, or removes what the last one left"
    BATCH = "while a micro-batch is under way"
    APPEND = "after a micro-batch has written a table of children"
    IDLE = "while there is nothing to do"


@dataclass(frozen=True)
class Life:
    """One sink, from its start to its kill.

    Attributes:
        aim: When it is killed.
        victim: Which of its processes are.
        settled: Whether it has completed a micro-batch before, unless it dies too early for that.
        outage: Whether the broker is killed during it, and started again.
        rival: Whether a second sink is started by mistake.
        replay: Whether all that the topics hold is replayed before it, after what the last one left.
    """

    aim: Aim
    victim: Victim
    settled: bool
    outage: bool
    rival: bool
    replay: bool


_AIMS = (
    *(Aim.APPEND, Aim.START_UP, Aim.BATCH, Aim.IDLE, Aim.OPENING),
    *(Aim.APPEND, Aim.BATCH, Aim.START_UP, Aim.APPEND, Aim.BATCH),
)
_VICTIMS = (Victim.BOTH, Victim.JAVA, Victim.BOTH, Victim.PYTHON, Victim.BOTH)
_ONE_OUTAGE_IN = 8
_ONE_RIVAL_IN = 12
_ONE_REPLAY_IN = 12


def planned_lives(chance: random.Random, kills: int) -> list[Life]:
    """Return the lives of so many sinks; even a few have of everything.

    Args:
        chance: What they are drawn from.
        kills: How many.
    """
    aims = _shuffled(chance, _AIMS, kills)
    victims = _shuffled(chance, _VICTIMS, kills)
    settled = _shuffled(chance, (False, True), kills)
    # One that is killed while it starts would see neither an outage nor a rival.
    long_enough = [n for n, aim in enumerate(aims) if aim is not Aim.START_UP]
    chance.shuffle(long_enough)
    n_outages, n_rivals = (max(1, kills // one_in) for one_in in (_ONE_OUTAGE_IN, _ONE_RIVAL_IN))
    outages = long_enough[:n_outages]
    rivals = long_enough[n_outages : n_outages + n_rivals]
    # Before the first one, there is nothing to replay.
    later = range(1, kills)
    replayed = chance.sample(later, min(len(later), max(1, kills // _ONE_REPLAY_IN)))
    return [
        Life(*drawn, number in outages, number in rivals, number in replayed)
        for number, drawn in enumerate(zip(aims, victims, settled, strict=True))
    ]


def _shuffled(chance: random.Random, pattern: Sequence[T], length: int) -> list[T]:
    chosen = list(itertools.islice(itertools.cycle(pattern), length))
    chance.shuffle(chosen)
    return chosen
