"""One sink after another, each killed at an instant of its plan."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace

from faults.killer import Killer, Phase, SinkEndedError
from faults.plan import Aim, Life, planned_lives
from faults.scene import AT_ONCE, ATTEMPTS, CATCH_UP_SECONDS, FLOW_SECONDS, Scene
from faults.sink_process import END_SECONDS, SinkProcess
from faults.stage import Outage
from faults.watch import Watch

OUTAGE_SECONDS = 6.0
"""How long the broker is away at most, its start not counted."""
REFUSAL_SECONDS = 180.0

# Until it is known how long it takes on this machine.
_START_SECONDS = 6.0
_OPENING_SECONDS = 2.0


class Lives:
    """The lives of a series' sinks.

    Args:
        scene: The series.
        on_kill: Called after every kill with what the sink was doing.
    """

    def __init__(self, scene: Scene, on_kill: Callable[[str], None]) -> None:
        self._scene = scene
        self._stage, self._pump, self._result = scene.stage, scene.pump, scene.result
        self._chance = scene.chance
        self._on_kill = on_kill
        self._start_seconds = _START_SECONDS
        self._opening_seconds = _OPENING_SECONDS

    def run(self, kills: int) -> None:
        """Kill so many sinks."""
        for life in planned_lives(self._chance, kills):
            self._scene.allow_more(0.5)
            self._live(life)

    def _live(self, life: Life) -> None:
        """Let a sink live until its kill; start another where it ends before."""
        if life.replay:
            self._replay()
        attempt = life
        for _ in range(ATTEMPTS):
            if self._is_killed(attempt):
                return
            attempt = replace(life, outage=False, rival=False)
        self._result.failures.append(f"no sink lived until its kill: {life}")

    def _replay(self) -> None:
        """Replay everything; it meets what the last sink left as well."""
        replay = self._stage.start_replay()
        if replay.ends(CATCH_UP_SECONDS) and replay.code == 0:
            self._result.replays += 1
        else:
            self._scene.complain(replay, f"ended with {replay.code}")
            replay.end()

    def _is_killed(self, life: Life) -> bool:
        """Start a sink and kill it; return whether it lived until then."""
        sink = self._stage.start_sink(*AT_ONCE)
        with ExitStack() as until_killed:
            try:
                if life.rival:
                    # Otherwise the first has landed all there is when the second is refused.
                    with self._pump.held():
                        sink = self._beside_a_rival(sink)
                killer = Killer(sink, Watch(self._stage.files, sink.temporary), self._chance)
                self._await_instant(life, sink, killer, until_killed)
            except SinkEndedError:
                self._scene.note_end(sink, excused=life.outage)
                return False
            self._kill(sink, life, killer)
            return True

    def _await_instant(
        self, life: Life, sink: SinkProcess, killer: Killer, until_killed: ExitStack
    ) -> None:
        if life.aim is Aim.START_UP:
            killer.linger(self._start_seconds)
            return
        killer.await_ready()
        ready = time.monotonic()
        if not life.rival:
            self._start_seconds = ready - sink.started
        if life.outage:
            until_killed.enter_context(self._outage())
        if life.aim is Aim.OPENING:
            killer.linger(self._opening_seconds)
            return
        killer.await_batch()
        if not life.outage:
            self._opening_seconds = time.monotonic() - ready
        # One half was for its first batch, and one is for those that follow.
        self._scene.allow_more(0.5)
        if life.settled:
            killer.await_commit()
        if life.aim is Aim.IDLE:
            until_killed.enter_context(self._pump.held())
        killer.await_instant(life.aim)

    def _kill(self, sink: SinkProcess, life: Life, killer: Killer) -> None:
        sink.strike(life.victim)
        phase = killer.phase()
        self._scene.reader.look()
        self._result.phases[phase] += 1
        self._result.victims[life.victim] += 1
        # What others left was removed before its first batch.
        self._result.half_landed += phase is Phase.LANDING and self._scene.reader.waiting > 0
        # The next one starts at once; of this one, Python holds the lock as long as it lives.
        if not sink.ends():
            self._scene.complain(
                sink, f"Python did not end in {END_SECONDS:g} s: {life.victim.value}"
            )
            sink.end()
        self._on_kill(phase.value)

    @contextmanager
    def _outage(self) -> Iterator[None]:
        """Kill the broker at a random instant, and have it back when the block is left."""
        after = self._chance.uniform(0, self._opening_seconds + FLOW_SECONDS)
        outage = Outage(self._stage, after, self._chance.uniform(0, OUTAGE_SECONDS))
        try:
            yield
        finally:
            outage.end()
            self._result.outages += 1

    def _beside_a_rival(self, first: SinkProcess) -> SinkProcess:
        """Start a second sink; return the one that was not refused."""
        time.sleep(self._chance.uniform(0, 2 * self._start_seconds))
        second = self._stage.start_sink(*AT_ONCE)
        refused, winner = one_of_two(first, second)
        if refused is None:
            self._scene.complain(second, "writes to the same lake as another")
            second.end()
        elif refused.told_in_one_line and f"process {winner.pid} " in refused.faults[0]:
            self._result.refused += 1
        else:
            self._scene.complain(refused, f"ended with {refused.code}, not naming {winner.pid}")
        return winner


def one_of_two(first: SinkProcess, second: SinkProcess) -> tuple[SinkProcess | None, SinkProcess]:
    """Wait until one of two sinks has ended; return it, None where none has, and the other."""
    deadline = time.monotonic() + REFUSAL_SECONDS
    while first.code is None and second.code is None:
        if time.monotonic() > deadline:
            return None, first
        second.ends(0.1)
    return (second, first) if first.code is None else (first, second)
