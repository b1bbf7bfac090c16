"""Who writes to a lake, found out by somebody who does not want to."""

from __future__ import annotations

import fcntl
from dataclasses import dataclass
from datetime import datetime, timedelta

from conformare_sink.errors import LakeRefusedError
from conformare_sink.lake.layout import LEASE_FILE, LOCK_FILE
from conformare_sink.lake.store.storage import Storage
from conformare_sink.lake.writer.lease import DEAD_SECONDS, holder_of, read_lease


@dataclass(frozen=True)
class Writer:
    """Who writes to a lake, or did.

    Attributes:
        name: What it says of itself.
        is_alive: Whether it still holds the lake; else it ended without giving the lake back.
    """

    name: str
    is_alive: bool


def writer_of(storage: Storage, now: datetime) -> Writer | None:
    """Return who holds a lake; None where nobody does.

    A lock is tried for an instant, together with others who only look. A lease is read.

    Args:
        storage: The lake's folder.
        now: What the store's clock shows, by which the age of a lease is told.

    Raises:
        LakeRefusedError: The lock cannot be read.
        StorageError: The store refuses.
    """
    return _locker(storage) or _lease_holder(storage, now)


def _locker(storage: Storage) -> Writer | None:
    if storage.local is None:
        return None
    try:
        with (storage.local / LOCK_FILE).open(encoding="utf-8", errors="replace") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return Writer(lock.readline().strip() or "another process", is_alive=True)
    except FileNotFoundError:
        return None
    except OSError as exc:
        raise LakeRefusedError(
            f"{storage.root} cannot be looked at ({exc.strerror}): let this user read {LOCK_FILE}"
        ) from exc
    return None


def _lease_holder(storage: Storage, now: datetime) -> Writer | None:
    found = read_lease(storage)
    renewed = storage.changed_at(LEASE_FILE) if found else None
    if renewed is None:
        return None
    is_alive = now - renewed <= timedelta(seconds=DEAD_SECONDS)
    return Writer(str(holder_of(found)), is_alive)
