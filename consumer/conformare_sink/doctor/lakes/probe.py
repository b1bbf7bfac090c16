"""Whether a lake's folder can be written: an object of our own is written, looked at and deleted."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from uuid import uuid4

from conformare_schemas.findings import Finding
from conformare_sink.doctor.skew import judge
from conformare_sink.errors import StorageError
from conformare_sink.lake.layout import STAGED_FILES
from conformare_sink.lake.store.storage import Storage

PART = "lake"
CLOCK = "clock of the store"


@dataclass(frozen=True)
class Probe:
    """What came of writing an object.

    Attributes:
        keeps: Whether the store refused to write it a second time, as it was told to.
        written_at: When it was written, by the store's clock.
        began: What this machine's clock showed before.
        ended: What this machine's clock showed after.
    """

    keeps: bool
    written_at: datetime | None
    began: datetime
    ended: datetime


def probe(storage: Storage) -> Probe:
    """Write an object of a name that nobody else has, look at it, and delete it.

    Its name begins like that of a file that is being written: where it cannot be deleted, the lake
    stays a lake.

    Raises:
        StorageError: The store refuses one of them.
    """
    name = f"{STAGED_FILES}doctor-{uuid4()}"
    began = datetime.now(timezone.utc)
    storage.create(name, b"conformare doctor")
    ended = datetime.now(timezone.utc)
    try:
        return Probe(
            not storage.create(name, b"conformare doctor"), storage.changed_at(name), began, ended
        )
    finally:
        storage.remove(name)


def try_to_write(storage: Storage) -> Iterator[Finding]:
    """Yield whether the sink can write to a lake, and whether the store's clock agrees with ours."""
    if storage.local is not None and not storage.local.exists():
        yield _new_folder(storage.local)
        yield Finding.unchecked(CLOCK, "nothing was written where there is no lake yet")
        return
    try:
        found = probe(storage)
    except StorageError as exc:
        yield Finding.mend(PART, str(exc))
        yield Finding.unchecked(CLOCK, "it tells its time by what is written: mend that first")
        return
    if found.keeps:
        yield Finding.good(PART, f"an object was written to {storage.root} once, and deleted again")
    else:
        yield Finding.mend(
            PART,
            f"the store of {storage.root} writes an object although there is one already (it ignores "
            "If-None-Match), so two sinks could overwrite each other: put the lake into another store",
        )
    if found.written_at is None:
        yield Finding.unchecked(CLOCK, "it does not tell when something was written")
    else:
        # Stores tell whole seconds, and file systems what the clock showed at its last tick.
        began = found.began.replace(microsecond=0)
        yield from judge(
            CLOCK, f"the clock of {storage.root}", found.written_at, began, found.ended
        )


def _new_folder(folder: Path) -> Finding:
    parent = next(one for one in folder.parents if one.exists())
    if os.access(parent, os.W_OK | os.X_OK):
        return Finding.good(PART, f"there is no {folder} yet, and this user may make it")
    return Finding.mend(
        PART,
        f"there is no {folder}, and this user may not make it: let it write {parent}, or correct --lake",
    )
