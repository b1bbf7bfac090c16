"""Where a path lies that does not say it itself: Spark adds a file system, and a folder."""

from __future__ import annotations

import re
from functools import cached_property
from typing import Any

# A letter alone is a drive of Windows.
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")
_DRIVE = re.compile(r"[A-Za-z]:[\\/]")
_WITHOUT_HOST = re.compile(r"/(?!/[^/])")


class FileSystem:
    """What a path without a file system means in this process; Java is asked only if need be."""

    def absolute(self, path: str) -> str:
        """Return a path with its file system and from its root down.

        Args:
            path: The path as it is written.
        """
        path = path.strip()
        scheme = _SCHEME.match(path)
        if scheme is not None:
            below = path[scheme.end() :]
            is_short = _WITHOUT_HOST.match(below) and self._root.startswith(f"{scheme[0]}//")
            return _joined(self._root, below) if is_short else path
        if not path or _DRIVE.match(path):
            return path
        return _joined(self._root if path.startswith("/") else self._folder, path)

    def has(self, path: str) -> bool:
        """Whether a folder or a file is there; the file system is asked.

        Args:
            path: The path as it is written.
        """
        if self._context is None:
            return False
        there = self._context._jvm.org.apache.hadoop.fs.Path(self.absolute(path))  # noqa: SLF001 - see below
        return bool(there.getFileSystem(self._settings).exists(there))

    @cached_property
    def _context(self) -> Any:
        from pyspark import SparkContext

        return SparkContext._active_spark_context  # noqa: SLF001 - `getOrCreate` might make one

    @cached_property
    def _settings(self) -> Any:
        return self._context._jsc.hadoopConfiguration()  # noqa: SLF001 - Spark shows it nowhere else

    @cached_property
    def _root(self) -> str:
        return "" if self._context is None else str(self._settings.get("fs.defaultFS"))

    @cached_property
    def _folder(self) -> str:
        from py4j.protocol import Py4JError

        if self._context is None:
            return ""
        systems = self._context._jvm.org.apache.hadoop.fs.FileSystem  # noqa: SLF001 - see above
        try:
            return str(systems.get(self._settings).getWorkingDirectory().toString())
        except Py4JError:  # some platforms let nobody ask
            return ""


def _joined(folder: str, path: str) -> str:
    return f"{folder.rstrip('/')}/{path.lstrip('/')}" if folder else path


def absolute(path: str) -> str:
    """Return a path with its file system and from its root down.

    Args:
        path: The path as it is written.
    """
    return FileSystem().absolute(path)
