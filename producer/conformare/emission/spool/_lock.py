"""Whether somebody works with a file or a folder: a lock that the operating system lets go with its process.

A process id would not do: it says nothing about other machines and containers that share the
folder, and another process may have got it since.
"""

from __future__ import annotations

import os
from pathlib import Path

from conformare._errors import SpoolError

try:
    import fcntl
except ImportError:  # pragma: no cover - Windows: the writer works in memory there, and says so
    fcntl = None  # type: ignore[assignment]  # what HAS_LOCKS looks at

LOCK_NAME = "lock"
HAS_LOCKS = fcntl is not None
"""Whether this platform has them; a file system may lack them all the same."""


class FileLock:
    """Holds a file, or the folder that it is in, for this process.

    The lock is of the open file, which a forked child shares: the child lets go of its copy with
    `forget`, or the folder would count as held until it ends too.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor: int | None = descriptor

    @classmethod
    def take(cls, path: Path) -> FileLock | None:
        """Return a lock, None if another process holds it or the folder is gone.

        Args:
            path: The file that is locked; it is made where it is missing.

        Raises:
            SpoolError: This platform or this file system has no locks.
        """
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        try:
            descriptor = os.open(path, flags, 0o600)
        except FileNotFoundError:
            return None
        except OSError as exc:
            raise SpoolError(f"{path} cannot be locked: {exc.strerror}") from exc
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Whoever held it before may have removed the folder between the two calls.
            if os.fstat(descriptor).st_ino == path.stat().st_ino:
                return cls(descriptor)
        except (BlockingIOError, FileNotFoundError):
            pass
        except OSError as exc:
            os.close(descriptor)
            raise SpoolError(f"{path} cannot be locked: {exc.strerror}") from exc
        os.close(descriptor)
        return None

    def forget(self) -> None:
        """Close this process's copy of the open file; the last one to be closed lets go."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
