"""A series: one workload, one lake, one sink after another killed, and then the comparison."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from support.checker import check, check_quarantine, waiting_runs

from faults.killer import Killer, SinkEndedError
from faults.plan import Aim, Life, planned_lives
from faults.pump import Pump
from faults.reader import Reader
from faults.result import Result
from faults.sink_process import END_SECONDS, SinkProcess
from faults.stage import TOPIC_PREFIX, Outage, Stage
from faults.topics import unusable_messages
from faults.watch import Watch
from faults.workload import Workload

FLOW_SECONDS = 8.0
"""In which time the runs of one life are sent, once its sink is ready."""
OUTAGE_SECONDS = 6.0
"""How long the broker is away at most, its start not counted."""
REFUSAL_SECONDS = 180.0
CATCH_UP_SECONDS = 600.0

# Until it is known how long it takes on this machine.
_START_SECONDS = 6.0
_OPENING_SECONDS = 5.0
_ATTEMPTS = 3
_AT_ONCE = ("--trigger", "0 seconds")


@dataclass(frozen=True)
class SeriesOptions:
    """What a series is made of.

    Attributes:
        seed: What everything is drawn from that is not up to the machine.
        runs: How many run_ids.
        kills: How many sinks are killed.
    """

    seed: int
    runs: int
    kills: int


def run_series(options: SeriesOptions, folder: Path, on_kill: Callable[[str], None]) -> Result:
    """Let runs flow, kill, and compare.

    Args:
        options: What the series is made of.
        folder: An empty folder; the lake and all logs stay there.
        on_kill: Called after every kill with what the sink was doing.
    """
    start = time.monotonic()
    stage = Stage(folder)
    try:
        stage.open()
        series = _Series(options, stage, on_kill)
        series.run()
        result = series.result
    finally:
        stage.close()
    result.seconds = time.monotonic() - start
    return result


class _Series:
    def __init__(
        self, options: SeriesOptions, stage: Stage, on_kill: Callable[[str], None]
    ) -> None:
        self.result = Result(options.seed)
        self._options = options
        self._stage = stage
        self._on_kill = on_kill
        self._chance = random.Random(options.seed)  # noqa: S311 - not for secrets
        self._workload = Workload(options.seed, options.runs)
        self._share = max(1, options.runs // options.kills)
        self._pump = Pump(
            self._workload,
            stage.broker.bootstrap_servers,
            TOPIC_PREFIX,
            runs_per_second=self._share / FLOW_SECONDS,
            seed=options.seed,
        )
        self._reader = Reader(stage.lake, self._workload.row_counts)
        self._start_seconds = _START_SECONDS
        self._opening_seconds = _OPENING_SECONDS

    def run(self) -> None:
        """Do all of it."""
        self._pump.start()
        self._reader.start()
        self._pump.allow(self._share // 2)
        for number, life in enumerate(planned_lives(self._chance, self._options.kills)):
            self._live(life, allowed_runs=(number + 1) * self._share)
        self._pump.finish()
        self._catch_up()
        self._reader.stop()
        self._compare()

    def _live(self, life: Life, allowed_runs: int) -> None:
        """Let a sink live until its kill; start another where it ends before."""
        if life.new_checkpoint:
            self._stage.begin_checkpoint()
            self.result.new_checkpoints += 1
        attempt = life
        for _ in range(_ATTEMPTS):
            if self._is_killed(attempt, allowed_runs):
                return
            attempt = replace(life, outage=False, rival=False)
        self.result.failures.append(f"no sink lived until its kill: {life}")

    def _is_killed(self, life: Life, allowed_runs: int) -> bool:
        """Start a sink and kill it; return whether it lived until then."""
        watch = Watch(self._stage.lake, self._stage.checkpoint)
        birth = watch.now()
        sink = self._stage.start_sink(*_AT_ONCE)
        with ExitStack() as until_killed:
            try:
                if life.rival:
                    # Otherwise the first has landed all there is when the second is refused.
                    with self._pump.held():
                        sink = self._beside_a_rival(sink)
                killer = Killer(sink, watch, birth, self._chance)
                self._await_instant(life, sink, killer, allowed_runs, until_killed)
            except SinkEndedError:
                self._note_end(sink, excused=life.outage)
                return False
            self._kill(sink, life, killer)
            return True

    def _await_instant(
        self,
        life: Life,
        sink: SinkProcess,
        killer: Killer,
        allowed_runs: int,
        until_killed: ExitStack,
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
        # One half for its first batch, and one for those that follow.
        self._pump.allow(allowed_runs - self._share // 2)
        if life.aim is Aim.OPENING:
            killer.linger(self._opening_seconds)
            return
        killer.await_batch()
        if not life.outage:
            self._opening_seconds = time.monotonic() - ready
        self._pump.allow(allowed_runs)
        if life.settled:
            killer.await_commit()
        if life.aim is Aim.IDLE:
            until_killed.enter_context(self._pump.held())
        killer.await_instant(life.aim)

    def _kill(self, sink: SinkProcess, life: Life, killer: Killer) -> None:
        sink.strike(life.victim)
        phase = killer.phase()
        self._reader.look()
        self.result.phases[phase] += 1
        self.result.victims[life.victim] += 1
        self.result.half_landed += killer.has_written() and self._reader.waiting > 0
        # The next one starts at once; of this one, Python holds the lock as long as it lives.
        if not sink.ends():
            self._complain(sink, f"Python did not end in {END_SECONDS:g} s: {life.victim.value}")
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
            self.result.outages += 1

    def _beside_a_rival(self, first: SinkProcess) -> SinkProcess:
        """Start a second sink; return the one that was not refused."""
        time.sleep(self._chance.uniform(0, 2 * self._start_seconds))
        second = self._stage.start_sink(*_AT_ONCE)
        deadline = time.monotonic() + REFUSAL_SECONDS
        while first.code is None and second.code is None and time.monotonic() < deadline:
            second.ends(0.1)
        if first.code is None and second.code is None:
            self._complain(second, "two sinks write to one lake")
            second.end()
            return first
        refused, winner = (second, first) if first.code is None else (first, second)
        told = [line for line in refused.errors.splitlines() if line.startswith("error: ")]
        in_one_line = len(told) == 1 and "Traceback" not in refused.errors
        if refused.code == 1 and in_one_line and f"process {winner.pid} " in told[0]:
            self.result.refused += 1
        else:
            self._complain(refused, f"ended with {refused.code} and did not name {winner.pid}")
        return winner

    def _note_end(self, sink: SinkProcess, *, excused: bool) -> None:
        """Take note of a sink that ended before it was killed."""
        ends = self.result.ended if excused else self.result.given_up
        ends.append(f"{sink.name}, exit code {sink.code}: {sink.last_words}")

    def _catch_up(self) -> None:
        """Let a sink land all that is left; by then nothing of the killed ones may be there."""
        for sink in self._stage.sinks:
            if not sink.is_gone():
                self._complain(sink, f"left processes behind: {sink.processes()}")
                sink.end()
        for _ in range(_ATTEMPTS):
            last = self._stage.start_sink("--once")
            if last.ends(CATCH_UP_SECONDS) and last.code == 0:
                return
            self._note_end(last, excused=False)
            last.end()
        self.result.failures.append("the last sink did not catch up")

    def _compare(self) -> None:
        lake, workload, result = self._stage.lake, self._workload, self.result
        unusable = unusable_messages(self._stage.broker.bootstrap_servers, TOPIC_PREFIX)
        result.runs = workload.landing_runs
        result.emissions = len(workload.landable)
        result.incomplete = len(workload.incomplete)
        result.messages = self._pump.sent
        result.unusable = len(unusable)
        result.seen = self._reader.seen
        result.verdict = check(lake, workload.records())
        result.quarantine = check_quarantine(lake, unusable)
        result.forgotten = waiting_runs(lake) ^ workload.incomplete

    def _complain(self, sink: SinkProcess, what: str) -> None:
        self.result.failures.append(f"{sink.name} {what}; its last line: {sink.last_words}")
