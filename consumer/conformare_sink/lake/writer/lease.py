"""The lock of a lake whose store has none: a note that its holder renews.

It tells writers of each other, and lets one take over from another that is dead. That two of them
can never both land is not its work, for between any look and any write time may pass: the fencing
token in every commit sees to it (`folder_table.py`).
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from uuid import uuid4

from conformare_sink.errors import LakeBusyError, StorageError
from conformare_sink.lake.layout import LEASE_FILE
from conformare_sink.lake.store.storage import Storage

logger = logging.getLogger("conformare_sink")

RENEW_SECONDS = 5.0
DEAD_SECONDS = 20.0
"""A lease that nobody has renewed for so long is of a dead writer; no clocks are compared."""


@contextmanager
def leased(storage: Storage, holder: str) -> Iterator[Callable[[], None]]:
    """Hold the lease of a lake while the block runs.

    Args:
        storage: The lake's folder.
        holder: Who holds it, for the one who is refused.

    Returns:
        To be called when something has landed: it raises where somebody has taken over since.

    Raises:
        LakeBusyError: Another process holds the lease, and renews it.
        StorageError: The store refuses, or does not keep conditional writes.
    """
    _await_end_of_another(storage)
    lease = _Lease(storage, holder)
    lease.take()
    over = threading.Event()

    def keep_renewing() -> None:
        while not over.wait(RENEW_SECONDS) and lease.renew():
            pass

    renewing = threading.Thread(target=keep_renewing, name="lease", daemon=True)
    renewing.start()
    try:
        yield lease.confirm
    finally:
        over.set()
        renewing.join()
        lease.give_back()


class _Lease:
    """A lease that this process holds, or is about to.

    Args:
        storage: The lake's folder.
        holder: Who holds it.
    """

    def __init__(self, storage: Storage, holder: str) -> None:
        self._storage = storage
        self._content: dict[str, object] = {"holder": holder, "id": str(uuid4()), "renewals": 0}

    def take(self) -> None:
        """Take the lease, where there is none."""
        root = self._storage.root
        content = json.dumps(self._content).encode()
        if not self._storage.create(LEASE_FILE, content):
            holder = holder_of(read_lease(self._storage))
            raise LakeBusyError(f"{root} is being written by {holder}; stop that one first")
        if self._storage.create(LEASE_FILE, content):
            raise StorageError(
                f"{root} cannot be used: its store writes a file although there is one already "
                "(If-None-Match is ignored), so two writers could overwrite each other"
            )

    def confirm(self) -> None:
        """Make sure that nobody has taken the lake over."""
        found = read_lease(self._storage)
        # One that is gone was removed by somebody who took over and has ended since.
        if found.get("id") != self._content["id"]:
            raise LakeBusyError(f"{self._storage.root} was taken over by {holder_of(found)}")

    def renew(self) -> bool:
        """Renew the lease; return whether it still is ours."""
        try:
            self.confirm()
            self._content["renewals"] = int(str(self._content["renewals"])) + 1
            self._storage.write(LEASE_FILE, json.dumps(self._content).encode())
        except LakeBusyError as exc:
            logger.warning("%s", exc)
            return False
        except StorageError as exc:
            logger.warning("the lease was not renewed: %s", exc)
        return True

    def give_back(self) -> None:
        """Remove the lease, if it still is ours; one that stays costs the next writer a wait."""
        with suppress(StorageError):
            if read_lease(self._storage).get("id") == self._content["id"]:
                self._storage.remove(LEASE_FILE)


def _await_end_of_another(storage: Storage) -> None:
    """Return when there is no lease; one that nobody renews is removed."""
    found = read_lease(storage)
    if not found:
        return
    logger.info(
        "%s was written by %s: waiting %.0f s for a sign of life",
        storage.root,
        holder_of(found),
        DEAD_SECONDS,
    )
    deadline = time.monotonic() + DEAD_SECONDS
    while time.monotonic() < deadline:
        time.sleep(RENEW_SECONDS / 2)
        now = read_lease(storage)
        if not now:
            return
        if now != found:
            raise LakeBusyError(
                f"{storage.root} is being written by {holder_of(now)}; stop that one first"
            )
    storage.remove(LEASE_FILE)


def holder_of(lease: dict[str, object]) -> object:
    """Return who holds a lease, for a person."""
    return lease.get("holder", "another process")


def read_lease(storage: Storage) -> dict[str, object]:
    """Return the lease; empty where there is none."""
    content = storage.read(LEASE_FILE)
    if content is None:
        return {}
    try:
        found = json.loads(content)
    except ValueError:
        found = None
    # Something that is no lease was written by no sink: it is waited for like one.
    return found if isinstance(found, dict) and found else {"id": None}
