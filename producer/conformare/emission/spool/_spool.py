"""The spool of one destination: where a run is from `record_run` until it is acknowledged.

    <spool>/<destination>/<process>/lock                    held as long as that process lives
    <spool>/<destination>/<process>/cause                   why its emissions still wait
    <spool>/<destination>/<process>/<emission>.<run>.emission
    <spool>/rejected/<emission>.<run>.emission, .cause      refused for good, and why

A file is written by the process that recorded the run. It is read and removed by whoever holds the
folder: that process, and after its end the next one that comes by.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from conformare._errors import SpoolError
from conformare._process_lock import ProcessLock
from conformare.emission._emission import Emission
from conformare.emission.spool._file import (
    SUFFIX,
    Destination,
    SpooledEmission,
    file_name,
    from_bytes,
    run_key,
    to_bytes,
)
from conformare.emission.spool._folder import (
    FOLDER_MODE,
    HeldFolder,
    subfolders,
    sync_folder,
    write_synced,
)

REJECTED_FOLDER = "rejected"
CAUSE_SUFFIX = ".cause"
MOST_ADOPTED = 64
"""How many folders of processes that have ended are held at a time."""


class Spool:
    """The emissions for one destination that wait on this machine's disk.

    Args:
        root: The spool's folder, shared by all destinations and processes of a user.
        destination: The one that this process sends to.
        max_bytes: How much all files of the spool may take; more is refused.

    Attributes:
        has_more: Whether there were more folders to adopt than are held at a time.
    """

    def __init__(self, root: Path, destination: Destination, max_bytes: int) -> None:
        self.root = root
        self.destination = destination
        self._max_bytes = max_bytes
        self._parent = root / destination.folder_name
        self._own: HeldFolder | None = None
        self._adopted: dict[Path, HeldFolder] = {}
        self.has_more = False
        self._used_bytes = 0
        self._lock = ProcessLock()

    def put(self, emission: Emission) -> Path:
        """Write an emission ahead of its delivery; it survives a crash as soon as this returns.

        Returns:
            Its file.

        Raises:
            SpoolError: The disk or the spool is full, or the folder cannot be used.
        """
        content = to_bytes(emission, self.destination)
        with self._lock:
            if self._used_bytes + len(content) > self._max_bytes:
                raise SpoolError(f"{self.root} has reached spool_max_bytes ({self._max_bytes})")
            self._used_bytes += len(content)
            if self._own is None or not self._own.path.exists():
                self._open()
            folder = self._own
        assert folder is not None  # noqa: S101 - for the type checker
        try:
            return folder.put(file_name(emission), content)
        except SpoolError:
            with self._lock:
                self._used_bytes -= len(content)
            raise

    def remove(self, file: Path, size_bytes: int) -> None:
        """Remove a file: its emission was acknowledged, or is kept elsewhere."""
        with suppress(OSError):  # sent once more, it is still landed once
            file.unlink(missing_ok=True)
        with self._lock:
            self._used_bytes = max(0, self._used_bytes - size_bytes)

    def reject(self, emission: Emission, cause: str) -> None:
        """Keep an emission that nobody will take as it is, for its operator to see.

        Raises:
            SpoolError: It cannot be written.
        """
        folder = self.root / REJECTED_FOLDER
        name = file_name(emission)
        try:
            folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
            for target in (folder / name, folder / f"{name}{CAUSE_SUFFIX}"):
                target.unlink(missing_ok=True)
            write_synced(folder / f"{name}{CAUSE_SUFFIX}", cause.encode())
            write_synced(folder / name, to_bytes(emission, self.destination))
            sync_folder(folder)
        except OSError as exc:
            raise SpoolError(f"{folder} cannot be used: {exc.strerror}") from exc

    def reject_file(self, file: Path, cause: str) -> None:
        """Move a file that cannot be read out of the way of those that can."""
        set_aside(self.root, file, cause)

    def read(self, file: Path) -> SpooledEmission:
        """Return the emission of a file.

        Raises:
            SpoolFileError: It is damaged.
            OSError: It cannot be read.
        """
        return from_bytes(file.read_bytes())

    def adopt(self) -> list[Path]:
        """Take over what processes that have ended left for this destination, oldest first.

        Not all of it at once: every folder that is held is an open file, of which a job has few.
        """
        found: list[Path] = []
        self.has_more = False
        for path in subfolders(self._parent):
            if path in self._adopted or (self._own is not None and path == self._own.path):
                continue
            if len(self._adopted) >= MOST_ADOPTED:
                self.has_more = True
                break
            try:
                folder = HeldFolder.adopt(path)
            except SpoolError:
                continue  # one folder that cannot be locked is no reason to leave the others
            if folder is None:
                continue
            names = folder.names()
            if names:
                self._adopted[path] = folder
                found.extend(path / name for name in names)
            else:
                folder.leave()
        return sorted(found, key=lambda file: file.name)

    def let_go_of_delivered(self) -> None:
        """Remove the adopted folders in which nothing waits any more."""
        for path, folder in list(self._adopted.items()):
            if not folder.names():
                del self._adopted[path]
                folder.leave()

    def holds(self, pipeline: str, run_id: str) -> bool:
        """Return whether a run waits here, recorded by whichever process."""
        ending = f".{run_key(pipeline, run_id)}{SUFFIX}"
        with suppress(OSError):
            for folder in subfolders(self._parent):
                if any(entry.name.endswith(ending) for entry in folder.iterdir()):
                    return True
        return False

    def measure(self) -> None:
        """Look how much the whole spool takes: other processes write to it too."""
        total = 0
        for folder, _, names in os.walk(self.root):
            for name in names:
                with suppress(OSError):
                    total += os.lstat(os.path.join(folder, name)).st_size  # noqa: PTH118 - many
        with self._lock:
            self._used_bytes = total

    def say_why(self, cause: str | None) -> None:
        """Leave word why what this process holds still waits; None when it does not any more."""
        for folder in self._held():
            folder.say_why(cause)

    def leave(self) -> None:
        """Let go of everything, for the next process."""
        for folder in self._held():
            folder.leave()
        self._own, self._adopted = None, {}

    def begin_process(self) -> None:
        """In a forked child: what the parent holds is the parent's."""
        for folder in self._held():
            folder.forget()
        self._own, self._adopted = None, {}

    def _open(self) -> None:
        """Make this process's folder; anew where somebody has removed it."""
        if self._own is not None:
            self._own.forget()
            self._own = None
        try:
            self.root.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
            self._parent.mkdir(mode=FOLDER_MODE, exist_ok=True)
        except OSError as exc:
            raise SpoolError(f"{self.root} cannot be used: {exc.strerror}") from exc
        self._own = HeldFolder.create(self._parent)

    def _held(self) -> list[HeldFolder]:
        own = [] if self._own is None else [self._own]
        return [*own, *self._adopted.values()]


def set_aside(root: Path, file: Path, cause: str) -> None:
    """Move a file that cannot be read to the rejected ones of its spool."""
    folder = root / REJECTED_FOLDER
    with suppress(OSError):
        folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        note = folder / f"{file.name}{CAUSE_SUFFIX}"
        note.unlink(missing_ok=True)
        write_synced(note, cause.encode())
        file.rename(folder / file.name)
