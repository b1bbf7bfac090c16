"""What happens to writers beside their death: two begin at once, one is suspended, or cut off.

Each incident leaves one sink that runs, for the next one. Where the lake has a lease, whoever does
not renew it is succeeded, comes back, and must find that it has lost.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from support.servers.network import commit_of

from faults.lives import one_of_two
from faults.scene import AT_ONCE, Scene
from faults.sink_process import END_SECONDS, SinkProcess

PATIENCE_SECONDS = 120.0
"""For a sink that starts, waits for a lease to end, and lands."""
LINGER_SECONDS = 1.0
REFUSED = 400
"""From here on, a status of HTTP says no."""
ALL = 4
"""At most so many incidents a series has."""
RUNS_OF = 3
"""For each, so many lives' worth of runs flow: of fewer, none may be whole yet."""

_POLL_SECONDS = 0.1


class Incidents:
    """The incidents of a series.

    Args:
        scene: The series.
    """

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._stage, self._result = scene.stage, scene.result

    @property
    def _planned(self) -> tuple[Callable[[SinkProcess], SinkProcess], ...]:
        if not self._stage.is_in_a_store:
            return (self._suspended_with_its_lock,)
        return (
            lambda first: self._overtaken(first, "runs", is_cut=False),
            lambda first: self._overtaken(first, "risks", is_cut=True),
            self._suspended,
        )

    def run(self, most: int) -> None:
        """Let them happen, the first on a lake that is not there yet.

        Args:
            most: How many at most, in their order.
        """
        sink = self._started_at_once()
        for incident in self._planned[: most - 1]:
            self._await_landing(sink)
            sink = incident(sink)
        self._await_landing(sink)
        sink.ask_to_end()
        if not sink.ends() or sink.code != 0:
            self._scene.complain(sink, f"was asked to end, and ended with {sink.code}")

    def _started_at_once(self) -> SinkProcess:
        """Start two sinks at the same instant; return the one that was not refused."""
        refused, winner = one_of_two(*(self._stage.start_sink(*AT_ONCE) for _ in range(2)))
        if refused is None:
            self._scene.complain(winner, "writes to the same lake as another")
        elif refused.code != 1 or not refused.told_in_one_line:
            self._scene.complain(refused, f"was second, and ended with {refused.code}")
        else:
            self._result.at_once += 1
        return winner

    def _suspended_with_its_lock(self, first: SinkProcess) -> SinkProcess:
        """Suspend a sink; while it is, nobody else may write, and then it goes on."""
        self._scene.allow_more()
        self._linger()
        first.suspend()
        second = self._stage.start_sink(*AT_ONCE)
        has_ended = second.ends(PATIENCE_SECONDS)
        first.resume()
        if not (has_ended and second.told_in_one_line and f"process {first.pid} " in second.errors):
            self._scene.complain(second, f"ended with {second.code}, not naming {first.pid}")
            second.end()
        else:
            self._result.suspended += 1
        return first

    def _suspended(self, first: SinkProcess) -> SinkProcess:
        """Suspend a sink until another has taken the lake over and landed runs; return that."""
        self._scene.allow_more()
        self._linger()
        first.suspend()
        second = self._succeeded()
        first.resume()
        self._result.suspended += self._has_lost(first)
        return second

    def _overtaken(self, first: SinkProcess, table: str, *, is_cut: bool) -> SinkProcess:
        """Hold a sink's commit on its way until another has landed runs; return that.

        Args:
            first: The sink; meanwhile it does not get through to the store, or is suspended.
            table: Whose commit.
            is_cut: Whether it is cut off.
        """
        way = first.network
        assert way is not None
        held = way.hold(commit_of(table))
        self._scene.allow_more()
        held.wait(PATIENCE_SECONDS)
        if is_cut:
            way.cut()
        else:
            first.suspend()
        second = self._succeeded()
        held.let_go()
        status = held.status(END_SECONDS)
        if is_cut:
            way.mend()
        else:
            first.resume()
        if status < REFUSED:
            self._scene.complain(first, f"had its commit of {table} taken: {status}")
        elif self._has_lost(first):
            self._result.frozen += 1
            if is_cut:
                self._result.cut_off += 1
            else:
                self._result.suspended += 1
        return second

    def _succeeded(self) -> SinkProcess:
        """Start a sink, and return it when it has landed runs."""
        sink = self._stage.start_sink(*AT_ONCE)
        self._await_landing(sink)
        return sink

    def _await_landing(self, sink: SinkProcess) -> None:
        """Let more runs flow, and wait until some of them are there."""
        before = self._scene.reader.landed
        self._scene.allow_more()
        deadline = time.monotonic() + PATIENCE_SECONDS
        while self._scene.reader.landed <= before:
            if sink.code is not None or time.monotonic() > deadline:
                self._scene.complain(sink, f"landed nothing (exit code {sink.code})")
                return
            time.sleep(_POLL_SECONDS)

    def _has_lost(self, sink: SinkProcess) -> bool:
        """Whether a sink that was succeeded has ended, and has said so in one line."""
        if sink.ends(PATIENCE_SECONDS) and sink.code == 1 and sink.told_in_one_line:
            return True
        self._scene.complain(sink, f"was succeeded, and ended with {sink.code}")
        sink.end()
        return False

    def _linger(self) -> None:
        time.sleep(self._scene.chance.uniform(0, LINGER_SECONDS))
