"""Programs as processes of their own, so that nothing that hangs can hang the bench.

A program says what it has to say in lines of JSON; `go` lets it pass the place where it waits.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

ROOT = Path(__file__).parents[3]
SETTINGS = ("CONFORMARE_", "OPENLINEAGE_")
AT_MOST_SECONDS = 90.0


class JobFailedError(RuntimeError):
    """A program ended before it had said what was asked for."""


class Job:
    """A program that runs; made by `job`."""

    def __init__(self, process: subprocess.Popen[str], errors: IO[str]) -> None:
        self._process = process
        self._errors = errors

    def go(self) -> None:
        """Let the program go on."""
        assert self._process.stdin is not None  # noqa: S101 - for the type checker
        self._process.stdin.write("go\n")
        self._process.stdin.flush()

    def listen(self, seconds: float) -> dict[str, Any] | None:
        """Return what the program says next; None if it ends first, or is killed after a time."""
        assert self._process.stdout is not None  # noqa: S101 - for the type checker
        watchdog = threading.Timer(seconds, self._process.kill)
        watchdog.start()
        try:
            line = self._process.stdout.readline()
        finally:
            watchdog.cancel()
        said: dict[str, Any] | None = json.loads(line) if line else None
        return said

    def result(self) -> dict[str, Any]:
        """Return what the program says next.

        Raises:
            JobFailedError: It ended, or said nothing for too long.
        """
        said = self.listen(AT_MOST_SECONDS)
        if said is None:
            raise JobFailedError(f"it ended with {self._process.wait()}: {self._said_on_stderr()}")
        return said

    def await_end(self) -> None:
        """Wait until the program has ended.

        Raises:
            JobFailedError: It did not end with 0.
        """
        code = self._process.wait(AT_MOST_SECONDS)
        if code != 0:
            raise JobFailedError(f"it ended with {code}: {self._said_on_stderr()}")

    def _said_on_stderr(self) -> str:
        self._errors.seek(0)
        return self._errors.read()


@contextmanager
def job(program: str, command: str, **arguments: Any) -> Iterator[Job]:
    """Run a command of a program in `bench/emission/jobs` until it waits for `go`; at last kill it.

    Args:
        program: Name of its module.
        command: Name of one of the functions that the module hands to `serve`.
        **arguments: What the function is called with, anything that JSON can carry.
    """
    call = json.dumps([command, arguments])
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", f"bench.emission.jobs.{program}", call],
            env=bare_environment(),
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
        with process:
            started = Job(process, errors)
            try:
                started.result()
                yield started
            finally:
                process.kill()


def bare_environment() -> dict[str, str]:
    """Return an environment without anybody's settings, in which the bench can be imported."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(SETTINGS)}
    return {**kept, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests")])}


def serve(commands: Mapping[str, Callable[..., None]]) -> None:
    """In the program: run the command that it was started for."""
    command, arguments = json.loads(sys.argv[1])
    commands[command](**arguments)


def await_go() -> None:
    """In the program: say that all is prepared, and wait for `go`."""
    say(ready=True)
    sys.stdin.readline()


def say(**said: Any) -> None:
    """In the program: tell something to who started it."""
    print(json.dumps(said), flush=True)
