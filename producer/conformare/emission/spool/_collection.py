"""Emissions that are brought together: one folder for each destination, held by this process.

What many processes have left is handed over as a whole that way, however many folders it was in.
A folder that is there already is the one that the others' files are moved to, so that a full disk
keeps nobody from sending what fills it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

from conformare._errors import SpoolError, SpoolFileError
from conformare.emission.spool._file import (
    Destination,
    SpooledEmission,
    file_name,
)
from conformare.emission.spool._folder import (
    FOLDER_MODE,
    HeldFolder,
    emission_names,
    process_folders,
    sync_folder,
)
from conformare.emission.spool._inventory import cause_file, rejected_files
from conformare.emission.spool._ownership import own_emission, require_own
from conformare.emission.spool._spool import DEFAULT_MAX_BYTES, set_aside, used_bytes


@contextmanager
def collecting(root: Path, max_bytes: int = DEFAULT_MAX_BYTES) -> Iterator[Collection]:
    """Give an empty collection for a spool, and let go of what is in it at the end.

    Args:
        root: The spool's folder.
        max_bytes: How much all files of the spool may take; what is put beyond it is refused.

    Raises:
        SpoolError: Somebody else may have put something into the folder.
    """
    require_own(root)
    collection = Collection(root, max_bytes)
    try:
        yield collection
    finally:
        collection.leave()


class Collection:
    """What this process has taken over in a spool; made by `collecting`.

    Args:
        root: The spool's folder.
        max_bytes: How much all files of the spool may take.

    Attributes:
        held: How many emissions `gather` has found with running processes.
        unusable: The files that cannot be used, and why not.
    """

    def __init__(self, root: Path, max_bytes: int) -> None:
        self._root = root
        self._max_bytes = max_bytes
        self._folders: dict[str, tuple[Destination, HeldFolder]] = {}
        self.held = 0
        self.unusable: list[tuple[Path, str]] = []

    @property
    def destinations(self) -> list[Destination]:
        """Where the emissions are meant for."""
        return [destination for destination, _ in self._folders.values()]

    @property
    def files(self) -> list[Path]:
        """The emissions, those of one destination after those of another."""
        return [
            folder.path / name for _, folder in self._folders.values() for name in folder.names()
        ]

    def gather(self) -> None:
        """Take over what processes that have ended left, for whichever destination.

        A file that is damaged goes to the rejected ones.

        Raises:
            SpoolError: The spool cannot be used.
        """
        with self._own_errors():
            for path in process_folders(self._root):
                try:
                    folder = HeldFolder.adopt(path)
                except SpoolError as exc:
                    self.unusable.append((path, str(exc)))
                    continue
                if folder is None:
                    self.held += len(emission_names(path))
                    continue
                for name in folder.names():
                    self._take(path / name, folder)
                if all(folder is not kept for _, kept in self._folders.values()):
                    folder.leave()
            self._sync()

    def gather_rejected(self) -> None:
        """Take over what was rejected, except for what is damaged.

        Raises:
            SpoolError: The spool cannot be used.
        """
        with self._own_errors():
            for file in usable_rejected(self._root):
                self._move(file, own_emission(file))
                cause_file(file).unlink(missing_ok=True)
            self._sync()

    @cached_property
    def _used_bytes(self) -> int:
        return used_bytes(self._root)

    def require_room(self, size_bytes: int) -> None:
        """Refuse what does not fit.

        Args:
            size_bytes: What is to be put here.

        Raises:
            SpoolError: The spool would take more than it may.
        """
        room = max(0, self._max_bytes - self._used_bytes)
        if size_bytes > room:
            raise SpoolError(
                f"{size_bytes} bytes do not fit {self._root}, which has room for {room}: send what "
                f"waits there, or raise spool_max_bytes ({self._max_bytes})"
            )

    def put(self, spooled: SpooledEmission, content: bytes) -> None:
        """Write an emission that comes from elsewhere.

        Args:
            spooled: A sound one.
            content: All that is to stand in its file.

        Raises:
            SpoolError: It cannot be written, or does not fit.
        """
        self.require_room(len(content))
        self._used_bytes += len(content)
        with self._own_errors():
            self._folder(spooled.destination).put(file_name(spooled.emission), content)

    def leave(self) -> None:
        """Let go of everything, for whoever comes next."""
        for _, folder in self._folders.values():
            folder.leave()
        self._folders = {}

    def _take(self, file: Path, folder: HeldFolder) -> None:
        try:
            spooled = own_emission(file)
        except SpoolFileError as exc:
            set_aside(self._root, file, str(exc))
            self.unusable.append((file, str(exc)))
            return
        except OSError as exc:
            self.unusable.append((file, f"it cannot be read: {exc.strerror}"))
            return
        key = spooled.destination.folder_name
        if key == folder.path.parent.name:
            self._folders.setdefault(key, (spooled.destination, folder))
        self._move(file, spooled)

    def _move(self, file: Path, spooled: SpooledEmission) -> None:
        final = self._folder(spooled.destination).path / file_name(spooled.emission)
        if final != file:
            file.rename(final)

    def _folder(self, destination: Destination) -> HeldFolder:
        key = destination.folder_name
        if key not in self._folders:
            self._root.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
            parent = self._root / key
            parent.mkdir(mode=FOLDER_MODE, exist_ok=True)
            self._folders[key] = (destination, HeldFolder.create(parent))
        return self._folders[key][1]

    def _sync(self) -> None:
        for _, folder in self._folders.values():
            sync_folder(folder.path)

    @contextmanager
    def _own_errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as exc:
            raise SpoolError(f"{self._root} cannot be used: {exc.strerror}") from exc


def usable_rejected(root: Path) -> list[Path]:
    """Return the rejected emissions of a spool that are not damaged, oldest first."""
    return [file for file in rejected_files(root) if _is_sound(file)]


def _is_sound(file: Path) -> bool:
    try:
        own_emission(file)
    except (SpoolFileError, OSError):
        return False
    return True
