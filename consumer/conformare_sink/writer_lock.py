"""One store has one writer at a time: the lock that makes it so."""

from __future__ import annotations

import fcntl
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from conformare_sink.errors import LakeBusyError
from conformare_sink.folder import local_path

LOCK_FILE = "_writer.lock"


@contextmanager
def sole_writer(lake: str, purpose: str) -> Iterator[None]:
    """Hold the lake against other sinks and replays while the block runs.

    The operating system gives the lock back when its holder dies, however it dies. A lake in an
    object store has no such lock: there, running one writer is the operator's task.

    Args:
        lake: Folder of the lake.
        purpose: What holds it, for the one who is refused.

    Raises:
        LakeBusyError: Another process holds the lake.
    """
    local = local_path(lake)
    if local is None:
        yield
        return
    local.mkdir(parents=True, exist_ok=True)
    with (local / LOCK_FILE).open("a+", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            lock.seek(0)
            raise LakeBusyError(
                f"{lake} is being written by {lock.read().strip() or 'another process'}; "
                "stop that one first"
            ) from exc
        lock.truncate(0)
        lock.write(f"{purpose}, process {os.getpid()} on {socket.gethostname()}\n")
        lock.flush()
        yield
