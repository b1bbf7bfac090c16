"""A series under way: where it takes place, what flows, who looks, and what has come of it so far."""

from __future__ import annotations

import random

from support.lakes.checker import check, check_declarations, check_quarantine, waiting_runs

from faults.flow.pump import Pump
from faults.flow.topics import unusable_messages
from faults.flow.workload import Workload
from faults.reader import Reader
from faults.result import Result
from faults.sink_process import SinkProcess
from faults.stage import TOPIC_PREFIX, Stage

FLOW_SECONDS = 8.0
"""In which time the runs of one life, or of one incident, are sent."""
CATCH_UP_SECONDS = 600.0
ATTEMPTS = 3
AT_ONCE = ("--trigger", "0 seconds")


class Scene:
    """A series under way.

    Args:
        stage: Where it takes place.
        seed: What everything is drawn from that is not up to the machine.
        runs: How many run_ids flow.
        parts: How many lives and incidents they are divided among.

    Attributes:
        stage: Where it takes place.
        chance: What everything is drawn from.
        pump: Sends what flows.
        reader: Looks at the lake.
        result: What has come of it so far.
    """

    def __init__(self, stage: Stage, seed: int, runs: int, parts: int) -> None:
        self.stage = stage
        self.chance = random.Random(seed)  # noqa: S311 - not for secrets
        self.result = Result(seed)
        self._workload = Workload(seed, runs)
        self._share = max(1, runs // parts)
        self._allowed = 0.0
        self.pump = Pump(
            self._workload,
            stage.broker.bootstrap_servers,
            TOPIC_PREFIX,
            runs_per_second=self._share / FLOW_SECONDS,
            seed=seed,
        )
        self.reader = Reader(stage.lake, self._workload.row_counts)

    def begin(self) -> None:
        """Let nothing flow yet, and look."""
        self.pump.start()
        self.reader.start()

    def allow_more(self, share: float = 1.0) -> None:
        """Let as many runs flow as one part has, or a share of them."""
        self._allowed += self._share * share
        self.pump.allow(round(self._allowed))

    def complain(self, sink: SinkProcess, what: str) -> None:
        """Take note of something about a sink that must not be."""
        self.result.failures.append(f"{sink.name} {what}; its last line: {sink.last_words}")

    def note_end(self, sink: SinkProcess, *, excused: bool) -> None:
        """Take note of a sink that has ended though nobody asked it to."""
        ends = self.result.ended if excused else self.result.given_up
        ends.append(f"{sink.name}, exit code {sink.code}: {sink.last_words}")

    def end(self) -> None:
        """Let the rest flow, have it landed, and compare."""
        self.pump.finish()
        self._catch_up()
        self.reader.stop()
        self._compare()

    def _catch_up(self) -> None:
        """Let a sink land all that is left; by then nothing of those before may be there."""
        for sink in self.stage.sinks:
            if not sink.is_gone():
                self.complain(sink, f"left processes behind: {sink.processes()}")
                sink.end()
        for _ in range(ATTEMPTS):
            last = self.stage.start_sink("--once")
            if last.ends(CATCH_UP_SECONDS) and last.code == 0:
                return
            self.note_end(last, excused=False)
            last.end()
        self.result.failures.append("the last sink did not catch up")

    def _compare(self) -> None:
        lake, workload, result = self.stage.lake, self._workload, self.result
        unusable = unusable_messages(self.stage.broker.bootstrap_servers, TOPIC_PREFIX)
        result.runs = workload.landing_runs
        result.emissions = len(workload.landable)
        result.incomplete = len(workload.incomplete)
        result.messages = self.pump.sent
        result.unusable = len(unusable)
        result.seen = self.reader.seen
        result.verdict = check(lake, workload.records())
        result.declared = len(workload.declared)
        result.declarations = check_declarations(lake, workload.declared)
        result.quarantine = check_quarantine(lake, unusable)
        result.forgotten = waiting_runs(lake) ^ workload.incomplete
