"""Jobs as processes of their own: each tells, line by line, which runs it has recorded."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterable
from pathlib import Path

PRELUDE_TS = "2026-01-02T03:04:05.000006Z"
PRELUDE = f"""
import os, sys
import conformare as cf
from support.messages.typical import typical_store

captured = typical_store()
cf.configure_store(writer="kafka")

def record(run_id):
    cf.record_run(PIPELINE, store=captured, run_id=run_id, ts={PRELUDE_TS!r})
    # Only now, and in one write: whoever reads the line knows that record_run has returned.
    os.write(1, f"{{run_id}}\\n".encode())
"""


class Job:
    """A Python program that records runs.

    Args:
        pipeline: What its runs are of.
        body: Its program; `record(run_id)` records a run and tells it.
        environment: Settings, by name without their prefix.
    """

    def __init__(self, pipeline: str, body: str, **environment: str) -> None:
        self.pipeline = pipeline
        settings = {f"CONFORMARE_{name.upper()}": value for name, value in environment.items()}
        self.process = subprocess.Popen(
            [sys.executable, "-c", f"PIPELINE = {pipeline!r}\n{PRELUDE}\n{body}"],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **settings},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.recorded: list[str] = []
        self.errors = ""
        self._told = threading.Condition()
        self._readers = [
            threading.Thread(target=self._read_runs),
            threading.Thread(target=self._read_errors),
        ]
        for reader in self._readers:
            reader.start()

    def _read_runs(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as told:
            for line in told:
                with self._told:
                    self.recorded.append(line.strip())
                    self._told.notify_all()

    def _read_errors(self) -> None:
        assert self.process.stderr is not None
        with self.process.stderr as told:
            self.errors = told.read()

    def await_runs(self, number: int, timeout_seconds: float = 60) -> None:
        """Wait until so many runs were recorded."""
        with self._told:
            assert self._told.wait_for(lambda: len(self.recorded) >= number, timeout_seconds), (
                f"{self.pipeline}: {len(self.recorded)} runs recorded"
            )

    def end(self, *codes: int, timeout_seconds: float = 60) -> None:
        """Wait for the end of the process, and look at how it ended: with 0 if nothing is said."""
        code = self.process.wait(timeout_seconds)
        for reader in self._readers:
            reader.join()
        assert code in (codes or (0,)), f"{self.pipeline} ended with {code}: {self.errors}"


def spool_send(spool: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `conformare spool send`, as an operator would."""
    program = Path(sys.executable).with_name("conformare")
    return subprocess.run(
        [program, "spool", "send", "--spool-dir", spool, *arguments],
        check=False,
        capture_output=True,
        text=True,
    )


def all_recorded(jobs: Iterable[Job]) -> list[str]:
    """Return the runs that jobs have told."""
    return [run_id for job in jobs for run_id in job.recorded]
