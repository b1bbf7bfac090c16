"""A folder on whatever file system Spark reaches: local, object store, HDFS."""

from __future__ import annotations

from typing import Any

from pyspark.sql import SparkSession


class Folder:
    """A folder, through Hadoop's file systems, which have no Python API of their own.

    Args:
        spark: The session whose configuration says how to reach it.
        location: A local path or a URI.
    """

    def __init__(self, spark: SparkSession, location: str) -> None:
        context = spark.sparkContext
        jvm: Any = context._jvm  # noqa: SLF001
        self._text = jvm.org.apache.commons.io.IOUtils
        self._paths = jvm.org.apache.hadoop.fs
        self._path = self._paths.Path(location)
        self._files = self._path.getFileSystem(context._jsc.hadoopConfiguration())  # noqa: SLF001

    def names(self) -> list[str]:
        """Return the names in the folder; none where it does not exist."""
        if not self._files.exists(self._path):
            return []
        return [found.getPath().getName() for found in self._files.listStatus(self._path)]

    def has(self, name: str) -> bool:
        """Return whether there is something of that name, which may have several levels."""
        return bool(self._files.exists(self._paths.Path(self._path, name)))

    def read_text(self, name: str) -> str:
        """Return the text of a file in the folder."""
        # Not through Spark's own reader: to that, a name with a leading underscore is hidden.
        stream = self._files.open(self._paths.Path(self._path, name))
        try:
            return str(self._text.toString(stream, "UTF-8"))
        finally:
            stream.close()

    def write_text(self, name: str, text: str) -> None:
        """Write a file, in place of one of that name, and the folder with it."""
        stream = self._files.create(self._paths.Path(self._path, name), True)
        try:
            stream.write(bytearray(text, "utf-8"))
        finally:
            stream.close()

    def remove(self, name: str) -> None:
        """Delete a file in the folder."""
        self._files.delete(self._paths.Path(self._path, name), False)

    def delete(self) -> None:
        """Delete the folder and all that is in it."""
        self._files.delete(self._path, True)
