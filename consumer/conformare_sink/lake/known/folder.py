"""The folder of this machine in which the known runs of a lake are kept.

A manifest says which segments belong to the set, and of which version of `runs`. It is written last,
in one piece, so the folder always has a whole set. Who writes to the lake owns the folder by a lock;
all others only read, and what they have opened stays open although the owner deletes it.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import logging
import os
import shutil
import tempfile
import time
from collections.abc import Collection, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

from conformare_sink.errors import DamagedError
from conformare_sink.lake.known.segment import SUFFIX, Sealed, Segment

logger = logging.getLogger("conformare_sink")

MANIFEST = "manifest.json"
LOCK = "lock"
FORMAT = 1

UNUSED_SECONDS = 30 * 24 * 3600.0
"""For so long the folder of another lake stays after it was used last."""

ATTEMPTS = 5
"""How often a reader looks again, for the owner has replaced what it was about to open."""


@dataclass(frozen=True)
class Saved:
    """What a manifest says."""

    table_id: str
    """Identity of the table `runs`."""
    version: int
    """The version of it that the set is of."""
    commit: str
    """What tells that version from one of the same number after the lake was put back from a copy."""
    segments: tuple[Sealed, ...]
    gone: tuple[Sealed, ...]
    """One at most, with the digests that are in the segments and no longer in the set."""

    @classmethod
    def read(cls, content: bytes) -> Saved | None:
        """Return what a manifest says; None where it is not as it was written."""
        try:
            seal, _, told = content.partition(b"\n")
            if seal.decode() != _seal(told):
                return None
            found = json.loads(told)
            if found.pop("format") != FORMAT:
                return None
            for kind in ("segments", "gone"):
                found[kind] = tuple(Sealed(*one) for one in found[kind])
            return cls(**found)
        except (ValueError, KeyError, TypeError):
            return None

    def content(self) -> bytes:
        """Return the manifest."""
        told = json.dumps({"format": FORMAT, **asdict(self)}).encode()
        return _seal(told).encode() + b"\n" + told


class Folder:
    """Keeps segments.

    Args:
        place: Where they are kept from one process to the next.
        is_ours: Whether this process writes to the lake, and may change what is kept.
    """

    def __init__(self, place: Path, *, is_ours: bool) -> None:
        self._place = place
        self._may_be_made = is_ours and not place.is_dir()
        self._lock: BinaryIO | None = None
        self._temporary: Path | None = None
        self._disk = ThreadPoolExecutor(1, "known-runs")
        self._saving: Future[None] = Future()
        self._saving.set_result(None)
        self._on_disk: set[str] = set()
        """Names of segments that outlive a loss of power."""
        if is_ours and not self._may_be_made:
            self._own()

    @property
    def is_kept(self) -> bool:
        """Whether what is written here is there for the next process."""
        return self._may_be_made or self._lock is not None

    def load(self) -> tuple[Saved, list[Segment], list[Segment]] | None:
        """Return what is kept: the manifest, and the segments that it names.

        None where there is nothing, or it is not as it was written.
        """
        for _ in range(ATTEMPTS):
            try:
                saved = Saved.read((self._place / MANIFEST).read_bytes())
                if saved is None:
                    return None
                opened = [Segment(self._place, one) for one in (*saved.segments, *saved.gone)]
            except FileNotFoundError:
                continue
            except (OSError, DamagedError):
                return None
            self._sweep([MANIFEST, LOCK, *(one.sealed.name for one in opened)])
            n_segments = len(saved.segments)
            return saved, opened[:n_segments], opened[n_segments:]
        return None

    def path(self) -> Path:
        """Return where segments are written, made where it is missing.

        Raises:
            OSError: There is no such place, not even a temporary one.
        """
        if self._may_be_made:
            with suppress(OSError):
                _delete_unused(self._place.parent)
                self._place.mkdir(parents=True, exist_ok=True)
                self._own()
        self._may_be_made = False
        if self._lock is not None:
            return self._place
        if self._temporary is None:
            self._temporary = Path(tempfile.mkdtemp(prefix="conformare-known-"))
        return self._temporary

    def has(self, segment: Segment) -> bool:
        """Return whether a segment is where this process writes."""
        return segment.path.parent == (self._place if self._lock else self._temporary)

    def took(self, segment: Segment) -> None:
        """Let a new segment of a temporary folder be gone with this process, however it ends."""
        if segment.path.parent == self._temporary:
            with suppress(OSError):
                segment.path.unlink()  # what is mapped stays as it is

    def save(self, saved: Saved, needless: Iterable[Segment]) -> None:
        """Write the manifest, for the next process; nobody waits for the disk meanwhile.

        Args:
            saved: What it says.
            needless: Segments that it does not name any more: they are deleted then.
        """
        place = self.path()
        if self._lock is not None:
            self.await_saved()
            paths = [segment.path for segment in needless]
            self._saving = self._disk.submit(self._save, place, saved, paths)

    @property
    def is_saving(self) -> bool:
        """Whether a manifest is being written."""
        return not self._saving.done()

    def await_saved(self) -> None:
        """Wait until no manifest is being written."""
        wait([self._saving])

    def _save(self, place: Path, saved: Saved, needless: Iterable[Path]) -> None:
        try:
            for one in (*saved.segments, *saved.gone):
                if one.name not in self._on_disk:
                    _sync(place / one.name)
            staged = place / f"{MANIFEST}.{uuid4()}"
            staged.write_bytes(saved.content())
            _sync(staged)
            staged.replace(place / MANIFEST)
            _sync(place)
            for path in needless:
                path.unlink(missing_ok=True)
        except OSError as exc:
            logger.warning("known runs could not be kept for the next start: %s", exc)
        else:
            self._on_disk = {one.name for one in (*saved.segments, *saved.gone)}

    def forget(self) -> None:
        """Delete what is kept: it is not as it was written, or of another history of the lake."""
        self.await_saved()
        self._sweep([LOCK])

    def close(self) -> None:
        """Let others own the folder; what was temporary is gone."""
        self._disk.shutdown()
        if self._lock is not None:
            self._lock.close()
            self._lock = None
        if self._temporary is not None:
            shutil.rmtree(self._temporary, ignore_errors=True)
            self._temporary = None

    def _own(self) -> None:
        with suppress(OSError):  # somebody else does, or nobody can
            self._lock = _locked(self._place)

    def _sweep(self, kept: Collection[str]) -> None:
        """Delete what a process that was killed has left, if the folder is ours."""
        if self._lock is not None:
            for found in self._place.iterdir():
                if found.name not in kept:
                    with suppress(OSError):
                        found.unlink()


def new_name() -> str:
    """Return a name that no segment has had."""
    return f"{uuid4().hex}{SUFFIX}"


def _locked(place: Path) -> BinaryIO:
    """Lock a folder; raises OSError where somebody has."""
    file = (place / LOCK).open("ab")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.utime(place / LOCK)
    except OSError:
        file.close()
        raise
    return file


def _delete_unused(folder: Path) -> None:
    """Delete what is kept of lakes that were not opened for long."""
    oldest = time.time() - UNUSED_SECONDS
    for place in folder.iterdir() if folder.is_dir() else ():
        with suppress(OSError):
            if (place / LOCK).stat().st_mtime < oldest:
                with _locked(place):
                    shutil.rmtree(place, ignore_errors=True)


def _sync(path: Path) -> None:
    """Wait until the disk has a file, or the names in a folder."""
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def _seal(told: bytes) -> str:
    return hashlib.sha256(told).hexdigest()
