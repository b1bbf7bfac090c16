"""A standalone cluster of Spark: a master and two workers, each a Java process of its own."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from conformare_sink.cli.submit import PROGRAM
from conformare_sink.spark.class_archive import java_options
from conformare_sink.spark.jars import SINK_JARS, cache_directory, resolve_jars
from support.spark.java import FRUGAL

PROGRAMS = Path(sys.executable).parent
LOOPBACK = "127.0.0.1"
SECONDS = 180.0


@contextmanager
def daemon(log: Path, main_class: str, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run one of Spark's daemons for the time of a block."""
    environment = {
        **os.environ,
        "SPARK_LOCAL_IP": LOOPBACK,
        # By it, Spark's programs find where Spark is.
        "PYSPARK_PYTHON": sys.executable,
        "SPARK_DAEMON_MEMORY": "256m",
        "SPARK_DAEMON_JAVA_OPTS": f"{java_options()} {FRUGAL}",
        # No daemon needs them: the archive of classes was made with them.
        "SPARK_DIST_CLASSPATH": os.pathsep.join(map(str, resolve_jars(SINK_JARS))),
    }
    command = [str(PROGRAMS / "spark-class"), f"org.apache.spark.deploy.{main_class}", *arguments]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=output, env=environment, start_new_session=True
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
        process.wait(SECONDS)


def said(log: Path, pattern: str, times: int = 1) -> str:
    """Wait until a daemon has said something so often, and return what it said last."""

    def found() -> list[str]:
        return re.findall(pattern, log.read_text(errors="replace"))

    when(lambda: len(found()) >= times, log)
    return found()[-1]


def when(happened: Callable[[], object], log: Path | None = None) -> None:
    """Wait until something has happened; where it does not, tell what is in a log."""
    deadline = time.monotonic() + SECONDS
    while not happened():
        assert time.monotonic() < deadline, log and log.read_text(errors="replace")
        time.sleep(0.02)  # nobody tells us of it


class Cluster:
    """A master and two workers.

    Args:
        folder: Where they keep what they need.
        url: The master's.
        workers: Their processes.
    """

    def __init__(self, folder: Path, url: str, workers: Sequence[subprocess.Popen[bytes]]) -> None:
        self._folder = folder
        self.url = url
        self.workers = workers

    def submit(self, *arguments: str) -> subprocess.Popen[str]:
        """Submit the sink, as docs/howto/run-on-a-cluster.md says it."""
        command = [
            *(str(PROGRAMS / "spark-submit"), "--master", self.url),
            *("--jars", ",".join(map(str, resolve_jars(SINK_JARS)))),
            *("--conf", "spark.executor.memory=512m", "--conf", "spark.cores.max=2"),
            *("--conf", "spark.speculation=true"),
            *("--conf", f"spark.driver.extraJavaOptions={FRUGAL}"),
            *("--conf", f"spark.executor.extraJavaOptions={FRUGAL}"),
            *("--conf", f"spark.driver.host={LOOPBACK}"),
            *(str(PROGRAM), "sink", "--once", *arguments),
        ]
        environment = {
            **os.environ,
            "SPARK_LOCAL_IP": LOOPBACK,
            "PYSPARK_PYTHON": sys.executable,
            "CONFORMARE_CACHE_DIR": str(cache_directory()),
        }
        return subprocess.Popen(
            command,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def logs(self, worker: int) -> list[Path]:
        """Return the logs of the executors that a worker has had."""
        return [*(self._folder / f"worker-{worker}").glob("app-*/*/stderr")]


@contextmanager
def running_cluster(folder: Path, worker_memory: str = "700m") -> Iterator[Cluster]:
    """Run a master and two workers with a core each, for the time of a block.

    Args:
        folder: An empty folder, for what they keep and say.
        worker_memory: What each has for the heaps of its executors.
    """
    log = folder / "master.log"
    address = ("--host", LOOPBACK, "--port", "0", "--webui-port", "0")
    with daemon(log, "master.Master", *address):
        url = said(log, r"Starting Spark master at (spark://\S+)")

        def worker(number: int) -> AbstractContextManager[subprocess.Popen[bytes]]:
            given = ("--cores", "1", "--memory", worker_memory, "--host", LOOPBACK)
            work = ("--webui-port", "0", "--work-dir", str(folder / f"worker-{number}"))
            return daemon(folder / f"{number}.log", "worker.Worker", *given, *work, url)

        with worker(1) as first, worker(2) as second:
            said(log, "Registering worker", times=2)
            yield Cluster(folder, url, (first, second))
