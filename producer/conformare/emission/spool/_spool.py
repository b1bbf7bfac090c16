"""The spool of one destination: where a run is from `record_run` until it is acknowledged.

    <spool>/<destination>/schema-ids-<registry>.json        what a Schema Registry has told
    <spool>/<destination>/<process>/lock                    held as long as that process lives
    <spool>/<destination>/<process>/cause                   why its emissions still wait
    <spool>/<destination>/<process>/<emission>.<run>.emission
    <spool>/rejected/<emission>.<run>.emission, .cause      refused for good, and why

A file is written by the process that recorded the run. It is read and removed by whoever holds the
folder: that process, and after its end the next one that comes by.
"""

from __future__ import annotations

import os
from collections import deque
from contextlib import suppress
from pathlib import Path

from conformare import _fork_guard as fork_guard
from conformare._errors import SpoolError, SpoolFileError
from conformare._process_lock import ProcessLock
from conformare.emission._emission import Emission
from conformare.emission.spool._file import (
    SUFFIX,
    Destination,
    file_name,
    run_key,
    to_bytes,
)
from conformare.emission.spool._folder import (
    FOLDER_MODE,
    REJECTED_FOLDER,
    HeldFolder,
    emission_names,
    process_folders,
    subfolders,
    sync_folder,
    write_synced,
)
from conformare.emission.spool._ownership import own_emission, require_own

CAUSE_SUFFIX = ".cause"
DEFAULT_MAX_BYTES = 2**30
"""What all files of a spool may take where nobody says it."""
MOST_ADOPTED = 64
"""How many folders of processes that have ended are held at a time."""


class Spool:
    """The emissions for one destination that wait on this machine's disk.

    Args:
        root: The spool's folder, shared by all destinations and processes of a user.
        destination: The one that this process sends to.
        max_bytes: How much all files of the spool may take; more is refused.
    """

    def __init__(self, root: Path, destination: Destination, max_bytes: int) -> None:
        self.root = root
        self.destination = destination
        self._max_bytes = max_bytes
        self._parent = root / destination.folder_name
        self._own: HeldFolder | None = None
        self._adopted: dict[Path, HeldFolder] = {}
        self._candidates: deque[Path] = deque()
        self._used_bytes = 0
        self._writing: dict[HeldFolder, int] = {}
        self._lock = ProcessLock()

    def put(self, emission: Emission) -> Path:
        """Write an emission ahead of its delivery; it survives a crash as soon as this returns.

        Returns:
            Its file.

        Raises:
            SpoolError: The disk or the spool is full, or the folder cannot be used.
        """
        content = to_bytes(emission, self.destination)
        folder = self._folder_for(len(content))
        try:
            return folder.put(file_name(emission), content)
        except SpoolError:
            with self._lock:
                self._used_bytes -= len(content)
            raise
        finally:
            with self._lock:
                if folder in self._writing:
                    self._writing[folder] -= 1

    def _folder_for(self, size_bytes: int) -> HeldFolder:
        """Return this process's folder, to be written to; a new one where it is gone."""
        with self._lock:
            if self._own is None or not self._own.is_in_place():
                # One that is gone stays open: another thread may be about to write by it.
                self._own = self._new_folder()
                self._writing[self._own] = 0
            if self._used_bytes + size_bytes > self._max_bytes:
                raise SpoolError(f"{self.root} has reached spool_max_bytes ({self._max_bytes})")
            self._used_bytes += size_bytes
            self._writing[self._own] += 1
            return self._own

    def remove(self, file: Path) -> None:
        """Remove a file: its emission was acknowledged, or is kept elsewhere."""
        with suppress(OSError):  # sent once more, it is still landed once
            size_bytes = file.stat().st_size
            file.unlink()
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
            if folder.exists() and _size_of(folder) + emission.size_bytes > self._max_bytes:
                raise SpoolError(f"{folder} has reached spool_max_bytes ({self._max_bytes})")
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

    def read(self, file: Path) -> Emission:
        """Return the emission of a file.

        Raises:
            SpoolFileError: It is damaged, or meant for another destination.
            OSError: It cannot be read.
        """
        spooled = own_emission(file)
        if spooled.destination.folder_name != self.destination.folder_name:
            raise SpoolFileError(f"it is meant for {spooled.destination.bootstrap_servers}")
        return spooled.emission

    def beside(self, name: str) -> Path:
        """Return the path of a file beside the folders of processes; it need not be there."""
        return self._parent / name

    @property
    def has_more(self) -> bool:
        """Whether there is more to adopt than is held at a time."""
        return bool(self._candidates)

    def adopt(self) -> list[Path]:
        """Take over what processes that have ended left for this destination, oldest first.

        Not all of it at once: every folder that is held is an open file, of which a job has few.
        """
        self.let_go_of_delivered()
        if not self._candidates:
            self._candidates = deque(sorted(subfolders(self._parent)))
        found: list[Path] = []
        while self._candidates and len(self._adopted) < MOST_ADOPTED:
            found.extend(self._try_to_adopt(self._candidates.popleft()))
        return sorted(found, key=lambda file: file.name)

    def _try_to_adopt(self, path: Path) -> list[Path]:
        if path in self._adopted or (self._own is not None and path == self._own.path):
            return []
        with fork_guard.whole:
            try:
                folder = HeldFolder.adopt(path)
            except SpoolError:
                return []  # one that cannot be used is no reason to leave the others
            if folder is None:
                return []
            try:
                names = folder.names()
            except OSError:
                folder.forget()
                return []
            if names:
                self._adopted[path] = folder
            else:
                folder.leave()
            return [path / name for name in names]

    def let_go_of_delivered(self) -> None:
        """Remove the adopted folders in which nothing waits any more."""
        for path, folder in list(self._adopted.items()):
            with suppress(OSError):
                if not folder.names():
                    del self._adopted[path]
                    folder.leave()

    def holds(self, pipeline: str, run_id: str) -> bool:
        """Return whether a run waits here, recorded by whichever process."""
        try:
            require_own(self.root, self._parent)
        except SpoolError:
            return False  # nobody knows of whom its files are
        ending = f".{run_key(pipeline, run_id)}{SUFFIX}"
        for folder in subfolders(self._parent):
            with suppress(OSError):
                if any(name.endswith(ending) for name in emission_names(folder)):
                    return True
        return False

    def measure(self) -> None:
        """See how much the spool holds by now: other processes write to it, and end."""
        total = used_bytes(self.root)
        with self._lock:
            self._used_bytes = total

    def say_why(self, cause: str | None) -> None:
        """Leave word why what this process holds still waits; None when it does not any more."""
        for folder in self._held():
            folder.say_why(cause)

    def leave(self) -> None:
        """Let go of everything, for the next process."""
        with self._lock:
            own, self._own = self._own, None
            writing = self._writing.pop(own, 0) if own is not None else 0
        if own is not None and not writing:
            # Otherwise it is left to the end of the process: a file may be about to appear in it.
            own.leave()
        for folder in self._adopted.values():
            folder.leave()
        self._adopted = {}

    def begin_process(self) -> None:
        """In a forked child: what the parent holds is the parent's."""
        for folder in self._held():
            folder.forget()
        self._own, self._adopted, self._writing = None, {}, {}
        self._candidates.clear()

    def _new_folder(self) -> HeldFolder:
        try:
            for folder in (self.root, self._parent):
                if not folder.exists():
                    folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
                    with suppress(OSError):  # not everybody's parent folder is ours to read
                        sync_folder(folder.parent)
        except OSError as exc:
            raise SpoolError(f"{self.root} cannot be used: {exc.strerror}") from exc
        with fork_guard.whole:
            own = HeldFolder.create(self._parent)
        self.measure()
        return own

    def _held(self) -> list[HeldFolder]:
        own = [] if self._own is None else [self._own]
        return [*own, *self._adopted.values()]


def used_bytes(root: Path) -> int:
    """Return what all that waits in a spool takes, what was rejected left out."""
    return sum(map(_size_of, process_folders(root)))


def set_aside(root: Path, file: Path, cause: str) -> None:
    """Move a file that cannot be read to the rejected ones of its spool."""
    folder = root / REJECTED_FOLDER
    with suppress(OSError):
        folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        note = folder / f"{file.name}{CAUSE_SUFFIX}"
        note.unlink(missing_ok=True)
        write_synced(note, cause.encode())
        file.rename(folder / file.name)


def _size_of(folder: Path) -> int:
    size_bytes = 0
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            with suppress(OSError):
                size_bytes += entry.stat(follow_symlinks=False).st_size
    return size_bytes
