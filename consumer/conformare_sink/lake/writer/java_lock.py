"""The lock that the Java of a writer holds on a lake for as long as it lives.

Commits are made in Java, which outlives a Python process that was killed: by a moment, or for as long
as it hangs in a commit. The lock that Python holds says nothing of that.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from py4j.protocol import Py4JError, Py4JJavaError
from pyspark.sql import SparkSession

from conformare_sink.errors import LakeBusyError, LakeRefusedError, first_line

logger = logging.getLogger("conformare_sink")

JAVA_LOCK_FILE = "_writer.java.lock"
END_SECONDS = 20.0
"""How long the Java of a writer that has ended may take to end as well."""

_LOOK_SECONDS = 0.1
"""Java can wait for a lock for ever or not at all, and this is to be bounded."""


@contextmanager
def locked_by_java(spark: SparkSession, lake: Path, location: str, holder: str) -> Iterator[None]:
    """Let this process's Java hold a lake while the block runs, or until Java ends, however it does.

    Args:
        spark: The writer's session.
        lake: Folder of the lake.
        location: The same, as people write it.
        holder: Who holds it, for the one who is refused.

    Raises:
        LakeBusyError: The Java of a writer that has ended is still there.
        LakeRefusedError: The file system does not let Java lock a file.
    """
    jvm: Any = spark.sparkContext._jvm  # noqa: SLF001 - the way to Java
    file = lake / JAVA_LOCK_FILE
    opened = jvm.java.io.RandomAccessFile(str(file), "rw")
    try:
        _lock(opened.getChannel(), file, location)
        pid = jvm.java.lang.ProcessHandle.current().pid()
        file.write_text(f"Java, process {pid}, of {holder}\n", encoding="utf-8")
        yield
    finally:
        # Where Java has ended, so has its lock, and what is under way is an error that says more.
        with suppress(Py4JError, OSError):
            opened.close()


def _is_locked(channel: Any, location: str) -> bool:
    try:
        return channel.tryLock() is not None
    except Py4JJavaError as exc:
        raise LakeRefusedError(f"{location} cannot be locked by Java: {first_line(exc)}") from exc


def _lock(channel: Any, file: Path, location: str) -> None:
    deadline = time.monotonic() + END_SECONDS
    told = False
    while not _is_locked(channel, location):
        owner = file.read_text(encoding="utf-8").strip() or "another Java process"
        if time.monotonic() > deadline:
            raise LakeBusyError(
                f"{location} may still be written by {owner}, which has outlived it; end it first"
            )
        if not told:
            logger.info("waiting up to %.0f s for the end of %s", END_SECONDS, owner)
            told = True
        time.sleep(_LOOK_SECONDS)
