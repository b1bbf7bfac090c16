"""What waits in a spool, and why: looked at by somebody who takes nothing over."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Literal

from conformare._errors import SpoolError, SpoolFileError
from conformare.emission.spool._file import Destination, recorded_at
from conformare.emission.spool._folder import (
    CAUSE_NAME,
    REJECTED_FOLDER,
    emission_names,
    process_folders,
)
from conformare.emission.spool._lock import LOCK_NAME, FileLock
from conformare.emission.spool._ownership import own_emission
from conformare.emission.spool._spool import CAUSE_SUFFIX

LONGEST_CAUSE = 2_000

Where = Literal["held", "left", "rejected"]
"""With a running process, left by one that has ended, or refused for good."""


@dataclass(frozen=True)
class Entry:
    """A file that waits in a spool.

    Attributes:
        file: Its path.
        where: With whom it waits.
        why: Why it waits, in words; None where nobody has said so.
        size_bytes: What it takes on the disk.
        recorded_at: When its run was recorded, UTC; of a damaged file, what is known of it.
        damage: What is wrong with the file; None if nothing is.
        destination: Where it is meant for; None if it is damaged.
        pipeline: Identity of the pipeline; None if it is damaged.
        run_id: Identity of the run; None if it is damaged.
    """

    file: Path
    where: Where
    why: str | None
    size_bytes: int
    recorded_at: datetime
    damage: str | None = None
    destination: Destination | None = None
    pipeline: str | None = None
    run_id: str | None = None


def take_inventory(root: Path) -> Iterator[Entry]:
    """Yield what waits in a spool, folder by folder; nothing if there is no such spool.

    One file at a time is in memory. What is delivered in between is left out.

    Args:
        root: The spool's folder.

    Raises:
        SpoolError: The spool cannot be looked at.
    """
    try:
        for folder in process_folders(root):
            names = emission_names(folder)
            # Only one with emissions is locked for a look: others may just be in the making.
            if names:
                where: Where = "held" if _is_held(folder) else "left"
                why = _words(folder / CAUSE_NAME)
                yield from _entries(((folder / name, why) for name in names), where)
        rejected = rejected_files(root)
        yield from _entries(((file, _words(cause_file(file))) for file in rejected), "rejected")
    except OSError as exc:
        raise SpoolError(f"{root} cannot be looked at: {exc.strerror}") from exc


def waiting_names(root: Path) -> set[str]:
    """Return the names of all emissions in a spool, rejected ones included."""
    names = {name for folder in process_folders(root) for name in emission_names(folder)}
    return names | {file.name for file in rejected_files(root)}


def rejected_files(root: Path) -> list[Path]:
    """Return the emissions that were refused for good, oldest first."""
    folder = root / REJECTED_FOLDER
    return [folder / name for name in emission_names(folder)]


def cause_file(rejected: Path) -> Path:
    """Return the file that says why an emission was rejected."""
    return rejected.with_name(f"{rejected.name}{CAUSE_SUFFIX}")


def _is_held(folder: Path) -> bool:
    lock = FileLock.take(folder / LOCK_NAME)
    if lock is None:
        return True
    lock.forget()
    return False


def _entries(files: Iterator[tuple[Path, str | None]], where: Where) -> Iterator[Entry]:
    for file, why in files:
        with suppress(FileNotFoundError):
            yield _entry(file, where, why)


def _entry(file: Path, where: Where, why: str | None) -> Entry:
    status = file.lstat()
    try:
        moment = recorded_at(file.name)
    except SpoolFileError:
        moment = datetime.fromtimestamp(status.st_mtime, timezone.utc)
    try:
        spooled = own_emission(file)
    except FileNotFoundError:
        raise
    except (SpoolFileError, OSError) as exc:
        damage = (
            str(exc) if isinstance(exc, SpoolFileError) else f"it cannot be read: {exc.strerror}"
        )
        return Entry(file, where, why, status.st_size, moment, damage)
    return Entry(
        file,
        where,
        why,
        status.st_size,
        moment,
        destination=spooled.destination,
        pipeline=spooled.emission.pipeline,
        run_id=spooled.emission.run_id,
    )


def _words(file: Path) -> str | None:
    try:
        with file.open(encoding="utf-8", errors="replace") as opened:
            return opened.read(LONGEST_CAUSE).strip() or None
    except OSError:
        return None
