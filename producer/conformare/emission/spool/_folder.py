"""The folder of one process within a spool: what it has recorded and not yet delivered.

Nobody else touches it while that process lives; afterwards it belongs to whoever locks it next.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from conformare._errors import SpoolError
from conformare.emission.spool._file import SUFFIX
from conformare.emission.spool._lock import LOCK_NAME, FolderLock

CAUSE_NAME = "cause"
"""Why the emissions of a folder still wait, in words."""
PART_SUFFIX = ".part"

FILE_MODE = 0o600
FOLDER_MODE = 0o700


class HeldFolder:
    """A folder of emissions that this process has locked; made by `create` or `adopt`."""

    def __init__(self, path: Path, lock: FolderLock) -> None:
        self.path = path
        self._lock = lock
        self._descriptor: int | None = None

    @classmethod
    def create(cls, parent: Path) -> HeldFolder:
        """Make a folder of this process's own.

        Args:
            parent: Folder of the destination, which exists.

        Raises:
            SpoolError: The folder cannot be made or locked.
        """
        try:
            while True:
                path = parent / str(uuid.uuid4())
                path.mkdir(mode=FOLDER_MODE)
                lock = FolderLock.take(path)
                # Another process may have found it without its lock, and taken it for a leftover.
                if lock is not None:
                    sync_folder(parent)
                    return cls(path, lock)
        except SpoolError:
            raise
        except OSError as exc:
            raise SpoolError(f"{parent} cannot be used: {exc.strerror}") from exc

    @classmethod
    def adopt(cls, path: Path) -> HeldFolder | None:
        """Take over the folder of a process that has ended; None if somebody holds it.

        Raises:
            SpoolError: The folder cannot be locked.
        """
        lock = FolderLock.take(path)
        return None if lock is None else cls(path, lock)

    def put(self, name: str, content: bytes) -> Path:
        """Write a file so that it survives a crash as soon as this returns.

        Args:
            name: Name of the file.
            content: All that is to stand in it.

        Raises:
            SpoolError: The disk is full, or the folder is gone or cannot be written to.
        """
        final = self.path / name
        try:
            write_synced(self._part(name), content)
            self._part(name).rename(final)
            if self._descriptor is None:
                self._descriptor = _open_folder(self.path)
            os.fsync(self._descriptor)
        except OSError as exc:
            with suppress(OSError):
                self._part(name).unlink(missing_ok=True)
            raise SpoolError(f"{self.path} cannot be used: {exc.strerror}") from exc
        return final

    def names(self) -> list[str]:
        """Return the names of the emissions that wait here, oldest first."""
        return emission_names(self.path)

    def say_why(self, cause: str | None) -> None:
        """Leave word why the emissions here still wait; None when they do not any more."""
        with suppress(OSError):  # it is only a note
            (self.path / CAUSE_NAME).unlink(missing_ok=True)
            if cause is not None:
                write_synced(self.path / CAUSE_NAME, cause.encode())

    def leave(self) -> None:
        """Let go of the folder, and remove it if nothing waits in it."""
        if not self.names():
            with suppress(OSError):
                for entry in list(self.path.iterdir()):
                    # The lock goes last: from then on, the folder counts as gone.
                    if entry.name != LOCK_NAME:
                        entry.unlink()
                (self.path / LOCK_NAME).unlink()
                self.path.rmdir()
        self.forget()

    def forget(self) -> None:
        """Close what is open, without a change to the folder: what a forked child has to do."""
        self._lock.forget()
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _part(self, name: str) -> Path:
        return self.path / f".{name}{PART_SUFFIX}"


def emission_names(path: Path) -> list[str]:
    """Return the names of the emissions in a folder, oldest first; none if it is gone."""
    try:
        return sorted(entry.name for entry in path.iterdir() if entry.suffix == SUFFIX)
    except FileNotFoundError:
        return []


def write_synced(path: Path, content: bytes) -> None:
    """Write a new file, and return when the disk has its content."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
    with os.fdopen(os.open(path, flags, FILE_MODE), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _open_folder(path: Path) -> int:
    return os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)


def sync_folder(path: Path) -> None:
    """Return when the disk knows which files a folder has."""
    descriptor = _open_folder(path)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def subfolders(path: Path) -> Iterator[Path]:
    """Yield the folders in a folder, in no order; none if it is not there."""
    with suppress(FileNotFoundError, NotADirectoryError), os.scandir(path) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield Path(entry.path)
