"""A folder on whatever file system Spark reaches: local, object store, HDFS."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from py4j.protocol import Py4JJavaError
from pyspark.sql import SparkSession


class Folder:
    """A folder, through Hadoop's file systems, which have no Python API of their own.

    Args:
        spark: The session whose configuration says how to reach it.
        location: A path or a URI; one without a scheme is where Hadoop's `fs.defaultFS` is.

    Attributes:
        local: Its path on this machine's file system; None on any other.
    """

    def __init__(self, spark: SparkSession, location: str) -> None:
        context = spark.sparkContext
        jvm: Any = context._jvm  # noqa: SLF001
        self._text = jvm.org.apache.commons.io.IOUtils
        self._paths = jvm.org.apache.hadoop.fs
        self._path = self._paths.Path(location)
        self._files = self._path.getFileSystem(context._jsc.hadoopConfiguration())  # noqa: SLF001
        self.local = self._local()

    @property
    def address(self) -> str:
        """The folder's whole address, the same however it was named."""
        return str(self._files.makeQualified(self._path).toString())

    def names(self) -> list[str]:
        """Return the names in the folder; none where it does not exist."""
        if not self._files.exists(self._path):
            return []
        return [found.getPath().getName() for found in self._files.listStatus(self._path)]

    def has(self, name: str) -> bool:
        """Return whether there is something of that name, which may have several levels."""
        return bool(self._files.exists(self._paths.Path(self._path, name)))

    def read_text(self, name: str) -> str:
        """Return the text of a file in the folder.

        Raises:
            ValueError: The file is not what was written, by its checksum.
        """
        # Not through Spark's own reader: to that, a name with a leading underscore is hidden.
        stream = self._files.open(self._paths.Path(self._path, name))
        try:
            return str(self._text.toString(stream, "UTF-8"))
        except Py4JJavaError as exc:
            if "ChecksumException" in str(exc):
                raise ValueError(f"{name} is damaged") from exc
            raise
        finally:
            stream.close()

    def write_text(self, name: str, text: str) -> None:
        """Write a file, in place of one of that name, and the folder with it."""
        self.write_bytes(name, text.encode())

    def write_bytes(self, name: str, content: bytes) -> None:
        """Write a file, in place of one of that name, and the folder with it."""
        if self.local is not None:
            # Hadoop would start a process for the file's permissions.
            self.local.mkdir(parents=True, exist_ok=True)
            (self.local / name).write_bytes(content)
            return
        stream = self._files.create(self._paths.Path(self._path, name), True)
        try:
            stream.write(bytearray(content))
        finally:
            stream.close()

    def full_path(self, name: str) -> str:
        """Return the whole address of a file in the folder, as Hadoop writes paths: unencoded."""
        return str(self._files.makeQualified(self._paths.Path(self._path, name)).toString())

    def remove(self, name: str) -> None:
        """Delete a file in the folder."""
        self._files.delete(self._paths.Path(self._path, name), False)

    def age_seconds(self, name: str) -> float:
        """Return for how long nothing below a folder in the folder has changed."""
        below = self._files.listFiles(self._paths.Path(self._path, name), True)
        changed = self._files.getFileStatus(
            self._paths.Path(self._path, name)
        ).getModificationTime()
        while below.hasNext():
            changed = max(changed, below.next().getModificationTime())
        return float(time.time() - changed / 1000)

    def move(self, location: str) -> bool:
        """Give the folder another place, where nothing is yet; return whether it has it."""
        return bool(self._files.rename(self._path, self._paths.Path(location)))

    def delete(self) -> None:
        """Delete the folder and all that is in it."""
        self._files.delete(self._path, True)

    def _local(self) -> Path | None:
        whole = self._files.makeQualified(self._path).toUri()
        return Path(whole.getPath()) if whole.getScheme() == "file" else None
