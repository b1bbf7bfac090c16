"""Small files in a folder of this machine."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from uuid import uuid4

from conformare_sink.lake.layout import STAGED_FILES


@dataclass(frozen=True)
class LocalFiles:
    """Small files in a folder of this machine, which is made when the first is written.

    Args:
        folder: The folder.
    """

    folder: Path

    def names(self, below: str) -> list[str]:
        """Return the names in the folder, or in one below it; none where it does not exist."""
        try:
            return sorted(found.name for found in (self.folder / below).iterdir())
        except FileNotFoundError:
            return []

    def read(self, name: str) -> bytes | None:
        """Return the content of a file; None where there is none."""
        try:
            return (self.folder / name).read_bytes()
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return None

    def write(self, name: str, content: bytes | memoryview) -> None:
        """Write a file, whole or not at all, in place of one of that name."""
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        staged = self.folder / f"{STAGED_FILES}{uuid4()}"
        try:
            staged.write_bytes(content)
            staged.replace(file)
        except OSError:
            with suppress(OSError):
                staged.unlink()
            raise

    def create(self, name: str, content: bytes) -> bool:
        """Write a file where there is none of that name; return whether it did.

        No hard link is made, which some mounts do not have; so a reader may see it half written.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            with (self.folder / name).open("xb") as file:
                file.write(content)
        except FileExistsError:
            return False
        return True

    def remove(self, name: str) -> None:
        """Delete a file, if it is there."""
        with suppress(FileNotFoundError, NotADirectoryError, IsADirectoryError):
            (self.folder / name).unlink()

    def changed_at(self, name: str) -> datetime | None:
        """Return when a file was written, by its file system's clock; None where there is none."""
        try:
            return datetime.fromtimestamp((self.folder / name).stat().st_mtime, timezone.utc)
        except (FileNotFoundError, NotADirectoryError):
            return None
