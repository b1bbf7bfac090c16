"""Reading a store from within a job: in a process of its own, and in bounded time."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeVar

from conformare import _fork_guard as fork_guard

T = TypeVar("T")

PROGRAM = Path(__file__).with_name("_program.py")


class StoreReadError(Exception):
    """A store cannot be read; no location is in what it says."""


def has_reader() -> bool:
    """Return whether this process can start another Python that has deltalake."""
    return _is_python() and find_spec("deltalake") is not None


def _is_python() -> bool:
    return bool(sys.executable) and not getattr(sys, "frozen", False)


def asked(what: str, seconds: float, **about: Any) -> list[Any]:
    """Return what another process answers to a question.

    Args:
        what: `query`, or a function of ours as `module:name`.
        seconds: How long it may take.
        about: What is asked about.

    Raises:
        StoreReadError: The store cannot be read.
        OSError: This process cannot start another.
    """
    if not _is_python():
        raise StoreReadError("this process cannot start a Python")
    question = {
        "seconds": seconds,
        "path": [entry for entry in sys.path if isinstance(entry, str)],
        "what": what,
        "about": about,
    }
    # A fork in between would leave the child with an end of a pipe that is to be closed here.
    with fork_guard.whole:
        reader = subprocess.Popen(  # noqa: S603 - a program of ours
            [sys.executable, str(PROGRAM)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            encoding="utf-8",
            start_new_session=True,  # a Ctrl-C is the job's
        )
    with reader:
        answered, _ = reader.communicate(f"{json.dumps(question)}\n")
    if not answered:
        raise StoreReadError("no answer")
    answer = json.loads(answered)
    if "fault" in answer:
        raise StoreReadError(answer["fault"])
    rows: list[Any] = answer["rows"]
    return rows


def within(seconds: float, look: Callable[[], T]) -> T:
    """Return what a look at a store gives.

    Args:
        seconds: How long a job waits for it, at most.
        look: The look.

    Raises:
        StoreReadError: It failed, or has taken longer.
    """
    found: list[T] = []
    faults: list[Exception] = []

    def attempt() -> None:
        try:
            found.append(look())
        except Exception as exc:  # noqa: BLE001 - storage fails in ways of its own
            faults.append(exc)

    # On a thread of its own, for a store that does not answer has no time-out that we could set.
    thread = threading.Thread(target=attempt, name="conformare-look-up", daemon=True)
    thread.start()
    thread.join(seconds)
    for fault in faults:
        # Not what it says: it may quote a location with its credentials.
        why = str(fault) if isinstance(fault, StoreReadError) else type(fault).__name__
        raise StoreReadError(why) from fault
    if not found:
        raise StoreReadError(f"no answer within {seconds:g} s")
    return found[0]
