"""What the integration tests share: one real broker and one Spark session for the whole run."""

from __future__ import annotations

import socket
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from conformare_sink.broker import EmbeddedBroker
from conformare_sink.session import build_session

# A loaded machine with two cores starts both Java processes at once.
START_SECONDS = 120


def pytest_configure(config: pytest.Config) -> None:
    """Let pyspark leave the socket of each `collect()` to the garbage collector, as it does.

    `pyspark.util._load_from_socket` closes the file made of the socket, never the socket; the
    warning comes whenever the collector comes, so in any test after the first `collect()`.
    """
    config.addinivalue_line(
        "filterwarnings", r"ignore:unclosed <socket\.socket .*'127\.0\.0\.1':ResourceWarning"
    )


@pytest.fixture(scope="session")
def free_port() -> int:
    """A port on loopback that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory, free_port: int) -> Iterator[EmbeddedBroker]:
    """The broker of the whole run; tests share it and tell their topics apart by `topic_prefix`."""
    embedded = EmbeddedBroker(tmp_path_factory.mktemp("broker"), free_port)
    embedded.start(timeout_seconds=START_SECONDS)
    yield embedded
    embedded.stop()


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    """The Spark session of the whole run."""
    folder = tmp_path_factory.mktemp("spark")
    session = build_session(
        "conformare-tests",
        master="local[2]",
        driver_memory="2g",
        extra_conf={
            "spark.sql.warehouse.dir": str(folder / "warehouse"),
            # Many short queries: the optimising compiler costs more than it gives back here. What
            # the other one makes of Spark's generated code fills its cache, which is small then.
            "spark.driver.extraJavaOptions": (
                f"-Dderby.system.home={folder} -XX:TieredStopAtLevel=1 "
                "-XX:ReservedCodeCacheSize=256m -XX:+UseParallelGC"
            ),
        },
    )
    yield session
    session.stop()


@pytest.fixture
def topic_prefix() -> str:
    """A prefix of topics that no other test has."""
    return f"test-{uuid.uuid4().hex[:12]}."


@pytest.fixture
def lake(tmp_path: Path) -> str:
    """An empty lake."""
    return str(tmp_path / "lake")
