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
from conformare.emission.spool._lock import LOCK_NAME, FileLock
from conformare.emission.spool._ownership import require_own

CAUSE_NAME = "cause"
"""Why the emissions of a folder still wait, in words."""
PART_SUFFIX = ".part"
REJECTED_FOLDER = "rejected"
"""Beside the folders of the destinations: emissions that nobody will take as they are."""

FILE_MODE = 0o600
FOLDER_MODE = 0o700


class HeldFolder:
    """A folder of emissions that this process has locked; made by `create` or `adopt`."""

    def __init__(self, path: Path, lock: FileLock) -> None:
        self.path = path
        self._lock = lock
        self._descriptor: int | None = None

    @classmethod
    def create(cls, parent: Path) -> HeldFolder:
        """Make a folder of this process's own.

        Args:
            parent: Folder of the destination, which exists.

        Raises:
            SpoolError: The folder cannot be made or locked, or somebody else may write to where it
                would be.
        """
        require_own(parent.parent, parent)
        try:
            while True:
                path = parent / str(uuid.uuid4())
                path.mkdir(mode=FOLDER_MODE)
                lock = _locked_or_removed(path)
                # Another process may have found it without its lock, and taken it for a leftover.
                if lock is not None:
                    sync_folder(parent)
                    return cls(path, lock)
        except OSError as exc:
            raise SpoolError(f"{parent} cannot be used: {exc.strerror}") from exc

    @classmethod
    def adopt(cls, path: Path) -> HeldFolder | None:
        """Take over the folder of a process that has ended; None if somebody holds it.

        Raises:
            SpoolError: The folder cannot be locked, or somebody else may have put something in it.
        """
        require_own(path.parent.parent, path.parent, path)
        lock = FileLock.take(path / LOCK_NAME)
        return None if lock is None else cls(path, lock)

    def put(self, name: str, content: bytes) -> Path:
        """Write a file so that it survives a crash as soon as this returns.

        Args:
            name: Name of the file.
            content: All that is to stand in it.

        Raises:
            SpoolError: The disk is full, or the folder is gone or cannot be written to.
        """
        part = f".{name}{PART_SUFFIX}"
        try:
            if self._descriptor is None:
                self._descriptor = _open_folder(self.path)
            folder = self._descriptor
            # By the open folder: no path to look up, and a folder that was removed is noticed.
            write_synced(part, content, folder)
            os.rename(part, name, src_dir_fd=folder, dst_dir_fd=folder)
            os.fsync(folder)
        except OSError as exc:
            with suppress(OSError):
                os.unlink(part, dir_fd=self._descriptor)
            raise SpoolError(f"{self.path} cannot be used: {exc.strerror}") from exc
        return self.path / name

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
        with suppress(OSError):
            if not self.names():
                # The lock goes last: from then on, the folder counts as gone.
                for path in (self.path / CAUSE_NAME, *self.path.glob(f".*{PART_SUFFIX}")):
                    path.unlink(missing_ok=True)
                (self.path / LOCK_NAME).unlink()
                self.path.rmdir()
        self.forget()

    def is_in_place(self) -> bool:
        """Return whether the folder is still where it was made: it may be removed, or moved."""
        try:
            if self._descriptor is None:
                self._descriptor = _open_folder(self.path)
            return os.path.samestat(os.fstat(self._descriptor), self.path.stat())
        except OSError:
            return False

    def forget(self) -> None:
        """Close what is open, without a change to the folder: what a forked child has to do."""
        self._lock.forget()
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _locked_or_removed(path: Path) -> FileLock | None:
    try:
        return FileLock.take(path / LOCK_NAME)
    except SpoolError:
        # Where there are no locks, every run would leave a folder behind.
        with suppress(OSError):
            (path / LOCK_NAME).unlink(missing_ok=True)
            path.rmdir()
        raise


def emission_names(path: Path) -> list[str]:
    """Return the names of the emissions in a folder, oldest first; none if it is gone."""
    try:
        with os.scandir(path) as entries:
            return sorted(
                entry.name
                for entry in entries
                if entry.name.endswith(SUFFIX) and entry.is_file(follow_symlinks=False)
            )
    except FileNotFoundError:
        return []


def write_synced(path: Path | str, content: bytes, folder: int | None = None) -> None:
    """Write a new file, and return when the disk has its content.

    Args:
        path: Its path, relative to the folder if there is one.
        content: All that is to stand in it.
        folder: An open folder.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
    file = os.open(path, flags, FILE_MODE, dir_fd=folder)
    try:
        left = memoryview(content)
        while left:
            left = left[os.write(file, left) :]
        os.fsync(file)
    finally:
        os.close(file)


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


def process_folders(root: Path) -> list[Path]:
    """Return the folders of all processes in a spool, of all destinations."""
    destinations = [path for path in subfolders(root) if path.name != REJECTED_FOLDER]
    return sorted(folder for path in destinations for folder in subfolders(path))
