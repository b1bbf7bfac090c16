"""A spool is its user's alone: whoever else could write there could have anything sent.

Couriers and `conformare spool send` bring what they find in a spool to the brokers that it names,
with this user's credentials.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from conformare._errors import SpoolError, SpoolFileError
from conformare.emission.spool._file import SpooledEmission, from_bytes


def require_own(*folders: Path) -> None:
    """Refuse folders in which somebody else may have put something.

    One that is missing, or that this user cannot reach, has nothing for us.

    Raises:
        SpoolError: One of them belongs to another user, or may be written to by others.
    """
    for folder in folders:
        try:
            status = folder.stat()
        except OSError:
            continue
        if status.st_uid != os.geteuid():
            raise SpoolError(f"{folder} belongs to another user; name a folder of your own")
        if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise SpoolError(
                f"other users may write to {folder}; take that right away (chmod go-w), or name a "
                "folder below it, which is made for you alone"
            )


def own_emission(file: Path) -> SpooledEmission:
    """Return the emission of a file of a spool.

    Raises:
        SpoolFileError: Another user made it, or it is damaged.
        OSError: It cannot be read.
    """
    return from_bytes(own_content(file))


def own_content(file: Path) -> bytes:
    """Return what stands in a file of a spool.

    Raises:
        SpoolFileError: Another user made it.
        OSError: It cannot be read.
    """
    with os.fdopen(os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "rb") as opened:
        if os.fstat(opened.fileno()).st_uid != os.geteuid():
            raise SpoolFileError("it belongs to another user")
        return opened.read()
