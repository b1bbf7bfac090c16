"""One store has one writer at a time: the lock that makes it so."""

from __future__ import annotations

import errno
import fcntl
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from pyspark.sql import SparkSession

from conformare_sink.errors import LakeBusyError, LakeRefusedError
from conformare_sink.lake.folder import Folder
from conformare_sink.lake.writer.java_lock import JAVA_LOCK_FILE, locked_by_java
from conformare_sink.lake.writer.lease import LEASE_FILE, leased

LOCK_FILE = "_writer.lock"
LOCK_FILES = (LOCK_FILE, JAVA_LOCK_FILE, LEASE_FILE)

_NO_LOCKS = {errno.ENOTSUP, errno.ENOSYS, errno.EINVAL}
"""What mounts without locks answer, such as some of FUSE. Not ENOLCK: that may be a matter of one
machine or moment, while another machine holds the lock and would not see a lease."""


@dataclass(frozen=True)
class Hold:
    """A lake that is held.

    Attributes:
        confirm: Raises LakeBusyError where somebody else has taken the lake over.
        can_be_lost: Whether that can happen while this process lives.
    """

    confirm: Callable[[], None]
    can_be_lost: bool


@contextmanager
def sole_writer(spark: SparkSession, location: str, purpose: str) -> Iterator[Hold]:
    """Hold the lake against other sinks and replays while the block runs.

    On this machine's file systems the operating system gives the lock back when its holder dies,
    however it dies, and not before; its holders are this process and its Java. Where a file
    system has no locks, the lake has a lease.

    Args:
        spark: The writer's session.
        location: Folder of the lake, as people write it.
        purpose: What holds it, for the one who is refused.

    Raises:
        LakeBusyError: Another process holds the lake.
        LakeRefusedError: Its file system has locks and does not give one.
    """
    lake = Folder(spark, location)
    holder = f"{purpose}, process {os.getpid()} on {socket.gethostname()}"
    with ExitStack() as held:
        if lake.local is not None and held.enter_context(_locked(lake.local, location, holder)):
            held.enter_context(locked_by_java(spark, lake.local, location, holder))
            yield Hold(lambda: None, can_be_lost=False)
        else:
            confirm = held.enter_context(leased(lake, location, holder))
            yield Hold(confirm, can_be_lost=True)


@contextmanager
def _locked(lake: Path, location: str, holder: str) -> Iterator[bool]:
    """Lock a folder, and tell whether it is: not every mount of a machine has locks."""
    lake.mkdir(parents=True, exist_ok=True)
    with (lake / LOCK_FILE).open("a+", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            lock.seek(0)
            raise LakeBusyError(
                f"{location} is being written by {lock.read().strip() or 'another process'}; "
                "stop that one first"
            ) from exc
        except OSError as exc:
            if exc.errno not in _NO_LOCKS:
                raise LakeRefusedError(f"{location} cannot be locked: {exc.strerror}") from exc
            yield False
            return
        lock.truncate(0)
        lock.write(f"{holder}\n")
        lock.flush()
        yield True
