"""One store has one writer at a time: the lock that makes it so."""

from __future__ import annotations

import errno
import fcntl
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TextIO

from conformare_sink.errors import LakeBusyError, LakeRefusedError
from conformare_sink.lake.layout import LOCK_FILE
from conformare_sink.lake.store.storage import Storage
from conformare_sink.lake.writer.lease import leased

_NO_LOCKS = {errno.ENOTSUP, errno.ENOSYS, errno.EINVAL}
"""What mounts without locks answer, such as some of FUSE. Not ENOLCK: that may be a matter of one
machine or moment, while another machine holds the lock and would not see a lease."""


@contextmanager
def sole_writer(storage: Storage, purpose: str) -> Iterator[Callable[[], None]]:
    """Hold the lake against other sinks and replays while the block runs.

    On this machine's file systems the operating system gives the lock back when its holder dies,
    however it dies, and not before. Where there are no locks, the lake has a lease.

    Args:
        storage: The lake's folder.
        purpose: What holds it, for the one who is refused.

    Returns:
        To be called when something has landed: it raises LakeBusyError where somebody else has taken
        the lake over since.

    Raises:
        LakeBusyError: Another process holds the lake.
        LakeRefusedError: Its file system has locks and does not give one.
        StorageError: The store refuses.
    """
    holder = f"{purpose}, process {os.getpid()} on {socket.gethostname()}"
    with ExitStack() as held:
        if storage.local is not None and held.enter_context(
            _locked(storage.local, storage.root, holder)
        ):
            yield lambda: None
        else:
            yield held.enter_context(leased(storage, holder))


@contextmanager
def _locked(lake: Path, location: str, holder: str) -> Iterator[bool]:
    """Lock a folder, and tell whether it is: not every mount of a machine has locks."""
    with _opened(lake, location) as lock:
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


def _opened(lake: Path, location: str) -> TextIO:
    try:
        lake.mkdir(parents=True, exist_ok=True)
        return (lake / LOCK_FILE).open("a+", encoding="utf-8")
    except OSError as exc:
        raise LakeRefusedError(
            f"{location} cannot be written ({exc.strerror}): let this user write it, or correct --lake"
        ) from exc
