"""The real sink as a process, with its Java beside it, and the signals that end them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from enum import Enum
from pathlib import Path

END_SECONDS = 60.0
"""How long what is left of a sink may take to end by itself."""

# It is killed before the optimising compiler has paid off.
_SHORT_LIVED = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"

_POLL_SECONDS = 0.05
_PROCESSES = Path("/proc")


class Victim(Enum):
    """Which processes of a sink are killed."""

    BOTH = "Python and Java"
    JAVA = "Java alone"
    PYTHON = "Python alone"


class SinkProcess:
    """A `conformare sink` in a process group of its own, which its Java belongs to as well.

    Args:
        arguments: Those of the command.
        folder: Where it runs; what Spark leaves behind stays below it.
        name: What its output is called, in that folder.

    Attributes:
        name: What its output is called.
        pid: Its process, and the group's number.
        started: When, on the monotonic clock.
    """

    def __init__(self, arguments: list[str], folder: Path, name: str) -> None:
        self.name = name
        self._output = folder / f"{name}.out"
        self._errors = folder / f"{name}.err"
        temporary = folder / "tmp"
        temporary.mkdir(exist_ok=True)
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(sys.path),
            "SPARK_LOCAL_DIRS": str(temporary),
            "SPARK_SUBMIT_OPTS": f"-Djava.io.tmpdir={temporary} {_SHORT_LIVED}",
        }
        program = Path(sys.executable).with_name("conformare")
        with self._output.open("wb") as output, self._errors.open("wb") as errors:
            self._process = subprocess.Popen(
                [program, "sink", *arguments],
                cwd=folder,
                env=environment,
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
    def last_words(self) -> str:
        """The last line of that."""
        lines = [line for line in self.errors.splitlines() if line.strip()]
        return lines[-1] if lines else "(nothing)"

    def strike(self, victim: Victim) -> None:
        """Send SIGKILL to some of its processes; to all, where there is no Java yet."""
        others = [pid for pid in self.processes() if pid != self.pid]
        if victim is Victim.PYTHON:
            self._process.kill()
        elif victim is Victim.JAVA and others:
            for pid in others:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        else:
            self._kill_group()

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
