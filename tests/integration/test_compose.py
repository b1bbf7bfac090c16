"""docker-compose.yml, as far as it can be run without Docker: nothing in it may rot."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from threading import Event
from typing import Any

import pytest
import yaml
from pyspark.sql import SparkSession

from conformare_sink.broker.broker import EmbeddedBroker
from conformare_sink.spark.jars import KAFKA_VERSION, cache_directory

ROOT = Path(__file__).parents[2]
PROGRAMS = Path(sys.executable).parent
SECONDS = 300

RUN_ID = "run-of-the-compose-test"
JOB = f"""
import conformare as cf
cf.configure_store(writer="kafka")
cf.record_run(pipeline="compose", run_id="{RUN_ID}")
cf.flush({SECONDS})
"""


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    """The services of the file, by name."""
    text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    found: dict[str, Any] = yaml.safe_load(text)["services"]
    return found


def wait_until(condition: Callable[[], bool]) -> bool:
    """Wait for what another process does; return whether it came in time."""
    deadline = time.monotonic() + SECONDS
    pause = Event()
    while not condition():
        if time.monotonic() >= deadline:
            return False
        pause.wait(0.5)
    return True


@pytest.mark.skipif(
    shutil.which("docker-compose") is None,
    reason="docker-compose, which validates the file without a Docker engine, is not installed",
)
def test_the_file_is_valid() -> None:
    """By the rules of Compose itself."""
    done = subprocess.run(
        ["docker-compose", "--file", str(ROOT / "docker-compose.yml"), "config", "--quiet"],  # noqa: S607
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_kafka_is_of_the_embedded_brokers_version(services: dict[str, Any]) -> None:
    """What is tested here is what runs there."""
    assert services["kafka"]["image"] == f"apache/kafka:{KAFKA_VERSION}"


def test_only_loopback_reaches_a_published_port(services: dict[str, Any]) -> None:
    """There is no password."""
    ports = [port for service in services.values() for port in service.get("ports", [])]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_the_image_is_built_from_files_that_reach_it(services: dict[str, Any]) -> None:
    """Every COPY of the Dockerfile is let through by .dockerignore."""
    build = services["sink"]["build"]
    dockerfile = (ROOT / build["context"] / build["dockerfile"]).read_text(encoding="utf-8")
    copied = {
        source
        for line in dockerfile.splitlines()
        if line.startswith("COPY ")
        for source in line.split()[1:-1]
    }
    ignore = (ROOT / build["context"] / ".dockerignore").read_text(encoding="utf-8").split()
    assert copied == {line.removeprefix("!") for line in ignore if line.startswith("!")}
    assert all((ROOT / source).exists() for source in copied)


def test_the_sink_service_lands_a_run_and_stops_in_order(
    services: dict[str, Any], broker: EmbeddedBroker, spark: SparkSession, tmp_path: Path
) -> None:
    """Its very command and environment as a local process; only addresses and paths are replaced."""
    lake = tmp_path / "tables"
    replaced = {
        "CONFORMARE_BOOTSTRAP_SERVERS": broker.bootstrap_servers,
        "CONFORMARE_LAKE": str(lake),
        "CONFORMARE_CHECKPOINT": str(tmp_path / "checkpoint"),
    }
    sink = services["sink"]
    assert replaced.keys() <= sink["environment"].keys()
    program, *arguments = sink["command"]
    environment = {**os.environ, **sink["environment"], **replaced, "HOME": str(tmp_path)}
    environment["CONFORMARE_CACHE_DIR"] = str(cache_directory())
    log_file = tmp_path / "sink.log"
    with log_file.open("wb") as log:
        process = subprocess.Popen(
            [str(PROGRAMS / program), *arguments],
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
        )

    def landed() -> bool:
        # The log first: to ask Spark all the time would take from the sink what it starts with.
        commits = (lake / "runs" / "_delta_log").glob("*.json")
        if not any('"add":' in commit.read_text(encoding="utf-8") for commit in commits):
            return False
        runs = spark.read.format("delta").load(str(lake / "runs"))
        return not runs.where(f"run_id = '{RUN_ID}'").isEmpty()

    try:
        subprocess.run([sys.executable, "-c", JOB], env=environment, check=True)
        assert wait_until(lambda: process.poll() is not None or landed())
        assert process.poll() is None, log_file.read_text(encoding="utf-8")
        process.terminate()
        assert process.wait(SECONDS) == 0, log_file.read_text(encoding="utf-8")
    finally:
        process.kill()
        process.wait()
