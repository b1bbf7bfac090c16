"""The lock of a lake whose file system has none: a note that its holder renews.

It tells writers of each other, and lets one take over from another that is dead. That two of them
can never both land is not its work, for between any look and any write time may pass: the tables'
own log sees to it (`FolderTable.fence`).
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from uuid import uuid4

from py4j.protocol import Py4JError, Py4JJavaError

from conformare_sink.errors import LakeBusyError, first_line
from conformare_sink.lake.folder import Folder

logger = logging.getLogger("conformare_sink")

LEASE_FILE = "_writer.json"
RENEW_SECONDS = 5.0
DEAD_SECONDS = 20.0
"""A lease that nobody has renewed for so long is of a dead writer; no clocks are compared."""


@contextmanager
def leased(lake: Folder, location: str, holder: str) -> Iterator[Callable[[], None]]:
    """Hold the lease of a lake while the block runs.

    Args:
        lake: Folder of the lake.
        location: The same, as people write it.
        holder: Who holds it, for the one who is refused.

    Returns:
        To be called when something has landed: it raises where somebody has taken over since.

    Raises:
        LakeBusyError: Another process holds the lease, and renews it.
    """
    _await_end_of_another(lake, location)
    identity = str(uuid4())
    renewals = 0
    # Whoever reads while it is being written finds half a lease, and must not take it for another's.
    whole = threading.Lock()

    def write() -> None:
        content = {"holder": holder, "id": identity, "renewals": renewals}
        with whole:
            lake.write_text(LEASE_FILE, json.dumps(content))

    def confirm() -> None:
        with whole:
            found = _read(lake)
        # One that is cut off may be what a fault has left of ours: it is written again. One that is
        # gone was removed by somebody who took over and has ended since.
        if not found or ("holder" in found and found.get("id") != identity):
            holder = found.get("holder", "another process")
            raise LakeBusyError(f"{location} was taken over by {holder}")

    write()
    over = threading.Event()

    def renew() -> bool:
        """Renew the lease; return whether it still is ours."""
        nonlocal renewals
        try:
            confirm()
            renewals += 1
            write()
        except LakeBusyError as exc:
            logger.warning("%s", exc)
            return False
        except (Py4JJavaError, OSError) as exc:
            logger.warning("the lease of %s was not renewed: %s", location, first_line(exc))
        return True

    def keep_renewing() -> None:
        while not over.wait(RENEW_SECONDS) and renew():
            pass

    renewing = threading.Thread(target=keep_renewing, name="lease", daemon=True)
    renewing.start()
    try:
        yield confirm
    finally:
        over.set()
        renewing.join()
        # One that cannot be removed costs the next writer a wait.
        with suppress(Py4JError, OSError):
            if _read(lake).get("id") == identity:
                lake.remove(LEASE_FILE)


def _await_end_of_another(lake: Folder, location: str) -> None:
    """Return when there is no lease, or one that nobody renews."""
    found = _read(lake)
    if not found:
        return
    logger.info(
        "%s was written by %s: waiting %.0f s for a sign of life",
        location,
        found.get("holder", "another process"),
        DEAD_SECONDS,
    )
    deadline = time.monotonic() + DEAD_SECONDS
    while time.monotonic() < deadline:
        time.sleep(RENEW_SECONDS / 2)
        now = _read(lake)
        if not now:
            return
        # One that is just being written has no name yet; the next look has it, or nobody lives.
        if now != found and "holder" in now:
            holder = now["holder"]
            raise LakeBusyError(f"{location} is being written by {holder}; stop that one first")


def _read(lake: Folder) -> dict[str, object]:
    """Return the lease: empty where there is none, without a name where it is being written."""
    if not lake.has(LEASE_FILE):
        return {}
    try:
        found = json.loads(lake.read_text(LEASE_FILE))
    except ValueError:
        return {"id": None}
    except Py4JJavaError:
        if lake.has(LEASE_FILE):
            raise
        return {}
    return found if isinstance(found, dict) else {"id": None}
