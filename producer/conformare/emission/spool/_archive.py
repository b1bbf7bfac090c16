"""Spooled emissions as one file, to be taken to another machine: a zip archive, a file a member.

An archive may come from anybody. Nothing of it is believed: no member is written under the name
that it has in there, and each is checked as a whole before anything is written at all.
"""

from __future__ import annotations

import errno
import os
import tempfile
import zipfile
from collections.abc import Container, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from conformare._errors import SpoolError, SpoolFileError
from conformare.emission.spool._file import SpooledEmission, file_name, from_bytes
from conformare.emission.spool._folder import FILE_MODE, PART_SUFFIX, sync_folder
from conformare.emission.spool._ownership import own_content

LARGEST_MEMBER_BYTES = 256 * 2**20
"""A million rows, the most that an emission has, take about half of it."""

_ENCRYPTED = 0x1
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


@dataclass(frozen=True)
class Member:
    """A sound member of an archive.

    Attributes:
        spooled: The emission.
        content: The bytes of its file.
    """

    spooled: SpooledEmission
    content: bytes


@dataclass(frozen=True)
class BadMember:
    """A member that is not to be imported.

    Attributes:
        name: What the archive calls it; of a stranger.
        why: What is wrong with it.
    """

    name: str
    why: str


def write_archive(archive: Path, files: Iterable[Path]) -> None:
    """Write files of a spool into a new archive; it is on the disk, whole, when this returns.

    Args:
        archive: Its path, at which nothing is yet.
        files: What to write.

    Raises:
        SpoolError: It cannot be written, or is there already.
        SpoolFileError: One of the files could not be imported again.
    """
    try:
        if os.path.lexists(archive):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
        descriptor, name = tempfile.mkstemp(PART_SUFFIX, f".{archive.name}.", archive.parent)
        part = Path(name)
        try:
            with os.fdopen(descriptor, "wb") as opened:
                with zipfile.ZipFile(opened, "w", zipfile.ZIP_DEFLATED) as members:
                    for file in files:
                        members.writestr(*_exported(file))
                opened.flush()
                os.fsync(opened.fileno())
            # The name is taken first, for the renaming would overwrite.
            os.close(os.open(archive, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE))
            part.replace(archive)
        finally:
            with suppress(OSError):
                part.unlink(missing_ok=True)
        sync_folder(archive.parent)
    except OSError as exc:
        raise SpoolError(f"{archive} cannot be written: {exc.strerror}") from exc


def _exported(file: Path) -> tuple[str, bytes]:
    """Return the name and the content of a file's member."""
    try:
        content = own_content(file)
        _require_size(len(content))
        return file_name(from_bytes(content).emission), content
    except SpoolFileError as exc:
        raise SpoolFileError(f"{file} cannot be exported: {exc}") from exc


def unpacked_bytes(archive: Path, known: Container[str]) -> int:
    """Return what an archive says that its members take; no more than that is read of any.

    Args:
        archive: Its path.
        known: Names of members that are not wanted.

    Raises:
        SpoolFileError: It is no archive.
    """
    with _opened(archive) as opened:
        return sum(info.file_size for info in opened.infolist() if info.filename not in known)


def read_archive(archive: Path) -> Iterator[Member | BadMember]:
    """Yield the members of an archive, one in memory at a time.

    Args:
        archive: Its path.

    Raises:
        SpoolFileError: It is no archive.
    """
    with _opened(archive) as opened:
        for info in opened.infolist():
            yield _member(opened, info)


def _opened(archive: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(archive)
    except Exception as exc:
        # What else the bytes of a stranger make zipfile stumble over.
        why = exc.strerror if isinstance(exc, OSError) else "it is not a spool archive"
        raise SpoolFileError(f"{archive} cannot be read: {why}") from exc


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Member | BadMember:
    try:
        content = _content(archive, info)
        spooled = from_bytes(content)
    except SpoolFileError as exc:
        return BadMember(info.filename, str(exc))
    if info.filename != file_name(spooled.emission):
        return BadMember(info.filename, "its name is not that of its content")
    return Member(spooled, content)


def _content(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    if info.flag_bits & _ENCRYPTED or info.compress_type not in _METHODS:
        raise SpoolFileError("it is encrypted, or compressed in an unknown way")
    _require_size(info.file_size)
    try:
        with archive.open(info) as member:
            # However much comes out of it: zipfile gives no more than the size that it claims.
            return member.read(info.file_size)
    except Exception as exc:
        # As above.
        raise SpoolFileError("it is damaged: it cannot be unpacked") from exc


def _require_size(size_bytes: int) -> None:
    if size_bytes > LARGEST_MEMBER_BYTES:
        raise SpoolFileError(f"it is larger than {LARGEST_MEMBER_BYTES} bytes")
