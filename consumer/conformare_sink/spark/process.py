"""Starts Spark's Java process, and keeps what every start says off the user's terminal."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
import threading
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from pyspark import SparkConf, SparkContext
from pyspark.errors import PySparkRuntimeError
from pyspark.java_gateway import launch_gateway
from pyspark.sql import SparkSession

from conformare_sink.errors import SparkStartError
from conformare_sink.spark.java import find_java

# Java itself prints the first before any logging is configured, for Spark always asks for that
# module; and Delta the second for every VACUUM.
_NOISE = re.compile(
    rb"WARNING: Using incubator modules: jdk\.incubator\.vector"
    rb"|Deleted \d+ files and directories in a total of \d+ directories"
)

_CLASS_PATH_VARIABLE = "SPARK_DIST_CLASSPATH"
_STDERR = 2
_READ_BYTES = 65536
_END_SECONDS = 10.0


def launch_spark(conf: SparkConf, jars: Collection[Path] = ()) -> Any:
    """Start Spark's Java process and return the py4j gateway to it.

    What Java writes goes on to our stderr, line by line, except for the noise of its start.

    Args:
        conf: Settings that must be known when Java starts, such as its heap.
        jars: What Java's class path ends with, behind Spark's own jars.

    Raises:
        JavaNotFoundError: There is no Java that Spark supports.
        SparkStartError: Java ended before it was ready.
    """
    find_java()
    # Workers are to run in this environment, also where it was not activated in a shell.
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    reading, writing = os.pipe()
    try:
        # Its stdout, too: VACUUM prints there, between the lines that programs read of ours.
        with _class_path(jars):
            gateway = launch_gateway(conf, {"stdout": writing, "stderr": writing})  # type: ignore[no-untyped-call]  # it has no types
    except PySparkRuntimeError as exc:
        os.close(writing)
        raise SparkStartError(f"Spark did not start: {_last_line(reading)}") from exc
    except BaseException:
        os.close(writing)
        os.close(reading)
        raise
    os.close(writing)
    # A daemon: Java ends only when this process does, and must not keep it from ending.
    threading.Thread(
        target=_forward_lines, args=(reading,), name="spark-stderr", daemon=True
    ).start()
    return gateway


def end_spark(spark: SparkSession, within_seconds: float | None = _END_SECONDS) -> None:
    """Stop a session and return when its Java process has ended; nothing can be asked of Spark then.

    Without it, Java ends when it notices that this process has, and outlives it by a moment.

    Args:
        spark: A session of a Java process that `launch_spark` has started.
        within_seconds: How long to wait for the process's end at most; None for ever.
    """
    gateway: Any = spark.sparkContext._gateway  # noqa: SLF001 - nothing public has the process
    spark.stop()
    gateway.shutdown()
    gateway.proc.stdin.close()
    with contextlib.suppress(subprocess.TimeoutExpired):
        gateway.proc.wait(within_seconds)


def kill_spark() -> None:
    """End the Java process that this process has started, if there is one, whatever it is doing."""
    gateway: Any = SparkContext._gateway  # noqa: SLF001 - nothing public has the process
    # One that spark-submit started is not ours, but we are its.
    if gateway is not None and gateway.proc is not None:
        gateway.proc.kill()


@contextlib.contextmanager
def _class_path(jars: Collection[Path]) -> Iterator[None]:
    """Let a Java process that is started meanwhile find some jars.

    By the variable that is for it, since the setting `spark.driver.extraClassPath` would take the
    place of what a user's spark-defaults.conf says there.
    """
    before = os.environ.get(_CLASS_PATH_VARIABLE)
    parts = [*([before] if before else []), *map(str, jars)]
    os.environ[_CLASS_PATH_VARIABLE] = os.pathsep.join(parts)
    try:
        yield
    finally:
        if before is None:
            del os.environ[_CLASS_PATH_VARIABLE]
        else:
            os.environ[_CLASS_PATH_VARIABLE] = before


def _forward_lines(reading: int) -> None:
    # Raw descriptors: a daemon thread that held the lock of sys.stderr's buffer while the
    # interpreter ends would abort the process.
    rest = b""
    while chunk := os.read(reading, _READ_BYTES):
        *lines, rest = (rest + chunk).split(b"\n")
        _forward(b"".join(line + b"\n" for line in lines if not _NOISE.match(line)))
    _forward(rest)
    os.close(reading)


def _forward(text: bytes) -> None:
    # Where our stderr is gone, Java must still find a reader, or it would wait for ever.
    with contextlib.suppress(OSError):
        while text:
            text = text[os.write(_STDERR, text) :]


def _last_line(reading: int) -> str:
    with os.fdopen(reading, "rb") as output:
        lines = [line for line in output.read().decode(errors="replace").splitlines() if line]
    return lines[-1] if lines else "its Java process ended without a word"
