"""Starts Spark's Java process, and keeps what every start says off the user's terminal."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
import threading
from collections.abc import Collection, Iterator, Sequence
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

_EMPTY_WORDS = re.compile(
    r"\s|\[.*\]\[warning\]|Error: Could not create the Java|Error: A fatal exception has occurred"
)
"""Lines that Java's last words are not: places in code, warnings, and that there was an error."""
_CLASS_PATH_VARIABLE = "SPARK_DIST_CLASSPATH"
_ADDRESS_VARIABLE = "SPARK_LOCAL_IP"
_STDERR = 2
_READ_BYTES = 65536
_END_SECONDS = 10.0


def launch_spark(conf: SparkConf, jars: Collection[Path] = (), address: str | None = None) -> Any:
    """Start Spark's Java process and return the py4j gateway to it.

    What Java writes goes on to our stderr, line by line, except for the noise of its start.

    Args:
        conf: Settings that must be known when Java starts, such as its heap.
        jars: What Java's class path ends with, behind Spark's own jars.
        address: The machine's own, unless the environment says it; None to let Spark look up the
            machine's name.

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
        with _environment(jars, address):
            gateway = launch_gateway(conf, {"stdout": writing, "stderr": writing})  # type: ignore[no-untyped-call]  # it has no types
    except PySparkRuntimeError as exc:
        os.close(writing)
        raise SparkStartError(f"Spark did not start: {_last_words(reading)}") from exc
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
def _environment(jars: Collection[Path], address: str | None) -> Iterator[None]:
    """Have a Java process that is started meanwhile find some jars, and its own address.

    By variables: the setting `spark.driver.extraClassPath` would take the place of what a user's
    spark-defaults.conf says there, and no setting keeps Spark from a look-up of the machine's name,
    which fails in a container without a network.
    """
    ours = {}
    if jars:
        before = os.environ.get(_CLASS_PATH_VARIABLE)
        ours[_CLASS_PATH_VARIABLE] = os.pathsep.join([*filter(None, [before]), *map(str, jars)])
    if address is not None and _ADDRESS_VARIABLE not in os.environ:
        ours[_ADDRESS_VARIABLE] = address
    kept = {name: os.environ.get(name) for name in ours}
    os.environ.update(ours)
    try:
        yield
    finally:
        for name, value in kept.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


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


def _last_words(reading: int) -> str:
    with os.fdopen(reading, "rb") as output:
        lines = output.read().decode(errors="replace").splitlines()
    return cause_in(lines) or "its Java process ended without a word"


def cause_in(lines: Sequence[str]) -> str | None:
    """Return what a Java process that ended at its start said of the cause; None where nothing.

    Args:
        lines: All that it wrote. The innermost cause of an exception comes last.
    """
    telling = [line for line in lines if line and not _EMPTY_WORDS.match(line)]
    return telling[-1].removeprefix("Caused by: ") if telling else None
