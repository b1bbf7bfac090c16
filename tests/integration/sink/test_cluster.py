"""The sink on a cluster: a standalone master and two workers, each a Java process of its own."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

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
def daemon(log: Path, main_class: str, *arguments: str) -> Iterator[None]:
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
        yield
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(SECONDS)


def said(log: Path, pattern: str, times: int = 1) -> str:
    """Wait until a daemon has said something so often, and return what it said last."""
    deadline = time.monotonic() + SECONDS
    while len(found := re.findall(pattern, log.read_text(errors="replace"))) < times:
        assert time.monotonic() < deadline, log.read_text(errors="replace")
        time.sleep(0.1)
    return str(found[-1])


@pytest.fixture
def master(tmp_path: Path) -> Iterator[str]:
    """The URL of a master with two workers."""
    log = tmp_path / "master.log"
    address = ("--host", LOOPBACK, "--port", "0", "--webui-port", "0")
    with daemon(log, "master.Master", *address):
        url = said(log, r"Starting Spark master at (spark://\S+)")
        worker = ("--cores", "1", "--memory", "700m", "--host", LOOPBACK, "--webui-port", "0")
        folders = [tmp_path / "worker-1", tmp_path / "worker-2"]
        with (
            daemon(
                tmp_path / "1.log", "worker.Worker", *worker, "--work-dir", str(folders[0]), url
            ),
            daemon(
                tmp_path / "2.log", "worker.Worker", *worker, "--work-dir", str(folders[1]), url
            ),
        ):
            said(log, "Registering worker", times=2)
            yield url


def test_the_sink_is_submitted_to_a_cluster(
    master: str, broker: EmbeddedBroker, topic: Topic, topic_prefix: str, lake: str, tmp_path: Path
) -> None:
    """As docs/deploy.md says it: whole runs, read by executors on both workers."""
    records = [make_record(f"run-{n}") for n in range(8)]
    for number, record in enumerate(records):
        topic.send(messages_of(record, f"e{number}", max_message_bytes=4_000))
    command = [
        *(str(PROGRAMS / "spark-submit"), "--master", master),
        *("--jars", ",".join(map(str, resolve_jars(SINK_JARS)))),
        *("--conf", "spark.executor.memory=512m", "--conf", "spark.cores.max=2"),
        *("--conf", f"spark.driver.extraJavaOptions={SMALL_HEAP}"),
        *("--conf", f"spark.executor.extraJavaOptions={SMALL_HEAP}"),
        *("--conf", f"spark.driver.host={LOOPBACK}"),
        *(str(PROGRAM), "sink", "--once", "--bootstrap-servers", broker.bootstrap_servers),
        *("--lake", lake, "--topic-prefix", topic_prefix),
    ]
    environment = {
        **os.environ,
        "SPARK_LOCAL_IP": LOOPBACK,
        "PYSPARK_PYTHON": sys.executable,
        "CONFORMARE_CACHE_DIR": str(cache_directory()),
    }
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, check=False, timeout=SECONDS
    )
    assert done.returncode == 0, done.stderr
    assert "8 run(s) landed" in done.stdout
    # The first is Java's own, the second comes before Python is started.
    assert not [line for line in done.stderr.splitlines() if not re.search(BEFORE_US, line)]
    assert check(lake, records).is_sound
    for number in (1, 2):
        assert list((tmp_path / f"worker-{number}").glob("app-*/*/stderr"))
