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
        self._paths: Any = context._jvm.org.apache.hadoop.fs  # type: ignore[union-attr]  # noqa: SLF001
        self._path = self._paths.Path(location)
        self._files = self._path.getFileSystem(context._jsc.hadoopConfiguration())  # noqa: SLF001
        self._spark = spark

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
        row = self._spark.read.text(
            self._paths.Path(self._path, name).toString(), wholetext=True
        ).head()
        return str(row["value"]) if row else ""

    def create_text(self, name: str, text: str) -> None:
        """Write a file that does not exist yet, and the folder with it."""
        stream = self._files.create(self._paths.Path(self._path, name), False)
        try:
            stream.write(bytearray(text, "utf-8"))
        finally:
            stream.close()

    def delete(self) -> None:
        """Delete the folder and all that is in it."""
        self._files.delete(self._path, True)
