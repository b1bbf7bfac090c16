"""The real sink as a process, with its Java beside it, and the signals that suspend and end them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from enum import Enum
from pathlib import Path

from support.servers.network import Network
from support.spark.java import FRUGAL

END_SECONDS = 60.0
"""How long what is left of a sink may take to end by itself."""

_POLL_SECONDS = 0.05
_PROCESSES = Path("/proc")


class Victim(Enum):
    """Which processes of a sink are killed."""

    BOTH = "Python and Java"
    JAVA = "Java alone"
    PYTHON = "Python alone"


class SinkProcess:
    """A `conformare sink`, or replay, in a process group of its own, which its Java belongs to as well.

    Args:
        command: The whole command.
        folder: Where it runs; what it leaves behind stays below it.
        name: What its output is called, in that folder.
        environment: What it is told beside the environment: credentials of the lake's store.
        network: How it reaches the lake's store, where the lake is in one.

    Attributes:
        name: What its output is called.
        pid: Its process, and the group's number.
        started: When, on the monotonic clock.
        temporary: Its folder for what is temporary.
        network: How it reaches the lake's store; None for a lake on a disk.
    """

    def __init__(
        self,
        command: Sequence[str],
        folder: Path,
        name: str,
        environment: Mapping[str, str],
        network: Network | None,
    ) -> None:
        self.name = name
        self.network = network
        self._output = folder / f"{name}.out"
        self._errors = folder / f"{name}.err"
        self.temporary = folder / f"{name}.tmp"
        self.temporary.mkdir()
        known = {
            **os.environ,
            **environment,
            "PYTHONPATH": os.pathsep.join(sys.path),
            "TMPDIR": str(self.temporary),
            "SPARK_LOCAL_DIRS": str(self.temporary),
            "SPARK_SUBMIT_OPTS": f"-Djava.io.tmpdir={self.temporary} {FRUGAL}",
        }
        with self._output.open("wb") as output, self._errors.open("wb") as errors:
            self._process = subprocess.Popen(
                command,
                cwd=folder,
                env=known,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=errors,
                start_new_session=True,
            )
        self.pid = self._process.pid
        self.started = time.monotonic()

    @property
    def code(self) -> int | None:
        """Its exit code, negative for a signal; None while it runs."""
        return self._process.poll()

    def has_said(self, text: str) -> bool:
        """Whether it has said something, on stdout or on stderr."""
        return text in _read(self._output) or text in self.errors

    @property
    def errors(self) -> str:
        """What it has said on stderr."""
        return _read(self._errors)

    @property
    def faults(self) -> list[str]:
        """The lines of that by which it says why it ends."""
        return [line for line in self.errors.splitlines() if line.startswith("error: ")]

    @property
    def told_in_one_line(self) -> bool:
        """Whether it says why it ends in one line, without a traceback of Python's or Java's."""
        traces = ("Traceback (most recent call last)", "\n\tat ")
        return len(self.faults) == 1 and not any(trace in self.errors for trace in traces)

    @property
    def last_words(self) -> str:
        """The last line of that."""
        lines = [line for line in self.errors.splitlines() if line.strip()]
        return lines[-1] if lines else "(nothing)"

    def strike(self, victim: Victim) -> None:
        """Send SIGKILL to some of its processes; to all, where there is no Java yet."""
        # Whom to spare is looked up where somebody is: it takes longer than a commit.
        if victim is Victim.PYTHON:
            self._process.kill()
        elif victim is Victim.JAVA and (others := set(self.processes()) - {self.pid}):
            for pid in others:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        else:
            self._kill_group()

    def suspend(self) -> None:
        """Send SIGSTOP to all of its processes."""
        os.killpg(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Send SIGCONT to all of its processes."""
        os.killpg(self.pid, signal.SIGCONT)

    def ask_to_end(self) -> None:
        """Send SIGTERM to the Python process, as who operates it does."""
        self._process.terminate()

    def ends(self, seconds: float = END_SECONDS) -> bool:
        """Wait for the end of the Python process; return whether it came in time."""
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def is_gone(self, seconds: float = END_SECONDS) -> bool:
        """Wait until no process of its group is left; return whether that was so in time."""
        deadline = time.monotonic() + seconds
        while not (self.ends(0) and not self.processes()):
            if time.monotonic() >= deadline:
                return False
            time.sleep(_POLL_SECONDS)
        return True

    def processes(self) -> list[int]:
        """Return the living processes of its group."""
        return [
            int(entry.name)
            for entry in _PROCESSES.iterdir()
            if entry.name.isdecimal() and _living_group(entry) == self.pid
        ]

    def end(self) -> None:
        """Kill what is left of it."""
        self._kill_group()
        self._process.wait()

    def _kill_group(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)


def _read(file: Path) -> str:
    return file.read_text(encoding="utf-8", errors="replace")


def _living_group(process: Path) -> int | None:
    """Return the group of a process; None for one that has ended."""
    try:
        stat = (process / "stat").read_text()
    except OSError:
        return None
    # The name, in parentheses, may hold anything.
    state, _, group = stat.rpartition(")")[2].split()[:3]
    return None if state in "ZX" else int(group)
