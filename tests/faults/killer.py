"""Waits for the instant of a kill, and tells what the sink was doing then."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from enum import Enum

from conformare_schemas import CHILD_GRAINS
from faults.plan import Aim
from faults.sink_process import SinkProcess
from faults.watch import Watch

READY = "landing runs from"
"""What a sink says when Spark has started and the lake is about to be opened."""

START_SECONDS = 180.0
PATIENCE_SECONDS = 90.0
"""Where what a kill waits for has not come after so long, any instant will do."""

_POLL_SECONDS = 0.001
_QUIET_SECONDS = 1.0
# A small batch takes a fifth of a second, and a hundredth of one between its first table and `runs`;
# what comes later than that hits a sink at rest.
_BATCH_SECONDS = 0.2
_APPEND_SECONDS = 0.005
_IDLE_SECONDS = 1.0


class Phase(Enum):
    """What a sink was doing when it was killed."""

    START_UP = "start-up"
    OPENING = "opening the lake"
    LANDING = "landing a batch"
    IDLE = "idle"


class SinkEndedError(Exception):
    """The sink ended before it was killed."""


class Killer:
    """Follows one sink to the instant at which it is to be killed.

    Every method that waits raises `SinkEndedError` where the sink has ended meanwhile.

    Args:
        sink: The sink.
        watch: What it is doing.
        chance: What the delays are drawn from.
    """

    def __init__(self, sink: SinkProcess, watch: Watch, chance: random.Random) -> None:
        self._sink = sink
        self._watch = watch
        self._chance = chance
        self._before_batch = watch.now().versions

    def linger(self, seconds: float) -> None:
        """Wait for a random time of at most so many seconds."""
        self._wait(lambda: False, self._chance.uniform(0, seconds))

    def await_ready(self) -> None:
        """Wait until the sink is about to open the lake."""
        self._wait(self._is_ready, START_SECONDS)
        if not self._is_ready():
            raise SinkEndedError(f"not ready after {START_SECONDS:g} s")

    def await_batch(self) -> None:
        """Wait until a micro-batch of this sink is under way."""
        self._wait(self._is_in_batch, PATIENCE_SECONDS)

    def await_commit(self) -> None:
        """Wait until this sink has completed a micro-batch."""
        self._wait(lambda: self._watch.now().done >= 0, PATIENCE_SECONDS)

    def await_instant(self, aim: Aim) -> None:
        """Wait, while a stream is running, for a random instant of a kind."""
        awaited: dict[Aim, tuple[Callable[[], bool], float]] = {
            Aim.BATCH: (self._is_in_batch, _BATCH_SECONDS),
            Aim.APPEND: (self._has_appended, _APPEND_SECONDS),
            Aim.IDLE: (self._is_quiet, _IDLE_SECONDS),
        }
        condition, at_most = awaited[aim]
        self._wait(condition, PATIENCE_SECONDS)
        self.linger(at_most)

    def phase(self) -> Phase:
        """Return what the sink is doing, or was when it was killed."""
        now = self._watch.now()
        if now.batch_is_open:
            return Phase.LANDING
        if now.done >= 0:
            return Phase.IDLE
        return Phase.OPENING if self._is_ready() else Phase.START_UP

    def _is_ready(self) -> bool:
        return self._sink.has_said(READY)

    def _is_in_batch(self) -> bool:
        now = self._watch.now()
        if not now.batch_is_open:
            self._before_batch = now.versions
        return now.batch_is_open

    def _has_appended(self) -> bool:
        if not self._is_in_batch():
            return False
        now = self._watch.now().versions
        return any(now[grain] > self._before_batch[grain] for grain in CHILD_GRAINS)

    def _is_quiet(self) -> bool:
        before = self._watch.now()
        if before.batch_is_open:
            return False
        self._wait(lambda: self._watch.now() != before, _QUIET_SECONDS)
        return self._watch.now() == before

    def _wait(self, condition: Callable[[], bool], seconds: float) -> None:
        """Wait until a condition holds, for so long at most."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and not condition():
            if self._sink.code is not None:
                raise SinkEndedError(f"exit code {self._sink.code}")
            time.sleep(_POLL_SECONDS)
