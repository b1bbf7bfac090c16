"""The sink on a cluster: a standalone master and two workers, each a Java process of its own."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from support.checker import check
from support.produce import Topic, messages_of
from support.records import make_record

from conformare_sink.broker.broker import EmbeddedBroker
from conformare_sink.cli.submit import PROGRAM
from conformare_sink.spark.jars import SINK_JARS, cache_directory, resolve_jars

PROGRAMS = Path(sys.executable).parent
LOOPBACK = "127.0.0.1"
SECONDS = 180.0
BEFORE_US = r"Using incubator modules|NativeCodeLoader: Unable to load native-hadoop library"
SMALL_HEAP = "-XX:TieredStopAtLevel=1"


@contextmanager
def daemon(log: Path, main_class: str, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run one of Spark's daemons for the time of a block."""
    environment = {
        **os.environ,
        "SPARK_LOCAL_IP": LOOPBACK,
        # By it, Spark's programs find where Spark is.
        "PYSPARK_PYTHON": sys.executable,
        "SPARK_DAEMON_MEMORY": "256m",
        "SPARK_DAEMON_JAVA_OPTS": SMALL_HEAP,
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
    deadline = time.monotonic() + SECONDS
    while len(found := re.findall(pattern, log.read_text(errors="replace"))) < times:
        assert time.monotonic() < deadline, log.read_text(errors="replace")
        time.sleep(0.1)
    return str(found[-1])


def when(happened: Callable[[], object]) -> None:
    """Wait until something has happened."""
    deadline = time.monotonic() + SECONDS
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.02)


class Cluster:
    """A master and two workers.

    Args:
        folder: Where they keep what they need.
        url: The master's.
        workers: Their processes.
    """

    def __init__(self, folder: Path, url: str, workers: Sequence[subprocess.Popen[bytes]]) -> None:
        self._folder = folder
        self._url = url
        self.workers = workers

    def submit(self, *arguments: str) -> subprocess.Popen[str]:
        """Submit the sink, as docs/deploy.md says it."""
        command = [
            *(str(PROGRAMS / "spark-submit"), "--master", self._url),
            *("--jars", ",".join(map(str, resolve_jars(SINK_JARS)))),
            *("--conf", "spark.executor.memory=512m", "--conf", "spark.cores.max=2"),
            *("--conf", "spark.speculation=true"),
            *("--conf", f"spark.driver.extraJavaOptions={SMALL_HEAP}"),
            *("--conf", f"spark.executor.extraJavaOptions={SMALL_HEAP}"),
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


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    """A cluster of a test's own."""
    log = tmp_path / "master.log"
    address = ("--host", LOOPBACK, "--port", "0", "--webui-port", "0")
    with daemon(log, "master.Master", *address):
        url = said(log, r"Starting Spark master at (spark://\S+)")

        def worker(number: int) -> Any:
            given = ("--cores", "1", "--memory", "700m", "--host", LOOPBACK, "--webui-port", "0")
            folder = str(tmp_path / f"worker-{number}")
            log = tmp_path / f"{number}.log"
            return daemon(log, "worker.Worker", *given, "--work-dir", folder, url)

        with worker(1) as first, worker(2) as second:
            said(log, "Registering worker", times=2)
            yield Cluster(tmp_path, url, (first, second))


@pytest.fixture
def sink(broker: EmbeddedBroker, topic_prefix: str, lake: str) -> list[str]:
    """The options of a sink."""
    return [
        *("--bootstrap-servers", broker.bootstrap_servers),
        *("--lake", lake, "--topic-prefix", topic_prefix),
    ]


def test_the_sink_is_submitted_to_a_cluster(
    cluster: Cluster, topic: Topic, lake: str, sink: list[str]
) -> None:
    """Whole runs, read by executors on both workers; a small batch is the driver's."""
    records = [make_record(f"run-{n}") for n in range(8)]
    for number, record in enumerate(records):
        topic.send(messages_of(record, f"e{number}", max_message_bytes=4_000))
    with cluster.submit(*sink) as submitted:
        out, err = submitted.communicate(timeout=SECONDS)
    assert submitted.returncode == 0, err
    assert "8 run(s) landed" in out
    # The first is Java's own, the second comes before Python is started.
    assert not [line for line in err.splitlines() if not re.search(BEFORE_US, line)]
    assert check(lake, records).is_sound
    assert cluster.logs(1)
    assert cluster.logs(2)


def test_a_large_batch_lands_although_driver_and_worker_are_killed_in_it(
    cluster: Cluster, topic: Topic, lake: str, sink: list[str]
) -> None:
    """The executors process it, and one key is half of all messages."""
    records = [make_record(f"run-{n}", rows={"contexts": 1, "risks": 1}) for n in range(4_000)]
    for number, record in enumerate(records):
        topic.send_later(messages_of(record, f"e{number}"))
    half = make_record("half", rows={"contexts": 1, "risks": 12_000})
    sent = messages_of(half, "half", max_message_bytes=300)
    assert len(sent) > 3 * 4_000
    topic.send(sent)
    by_executors = [*sink, "--engine", "executors"]

    def is_written() -> bool:
        return len([*Path(lake, "risks").glob("*.parquet")]) > n_files

    n_files = 0
    with cluster.submit(*by_executors) as killed:
        when(is_written)
        os.killpg(killed.pid, signal.SIGKILL)
    n_files = len([*Path(lake, "risks").glob("*.parquet")])
    with cluster.submit(*by_executors) as submitted:
        when(is_written)
        os.killpg(cluster.workers[0].pid, signal.SIGKILL)
        _, err = submitted.communicate(timeout=SECONDS)
    assert submitted.returncode == 0, err
    assert "driver" not in err
    assert check(lake, [*records, half]).is_sound
