"""What the integration tests share: one real broker and one Spark session for the whole run."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from pathlib import Path

import pyspark
import pytest
from pyspark import SparkConf, SparkContext
from pyspark.sql import SparkSession
from support.spark import python_workers
from support.spark.java import FRUGAL

from conformare_sink.broker.broker import EmbeddedBroker
from conformare_sink.broker.ports import free_port as a_free_port
from conformare_sink.spark.jars import SPARK_VERSION, JarSet, resolve_jars
from conformare_sink.spark.process import launch_spark
from conformare_sink.spark.session import build_session, spark_conf

# A loaded machine with two cores starts both Java processes at once.
START_SECONDS = 120

APP_NAME = "conformare-tests"
MASTER = "local[2]"
DRIVER_MEMORY = "2g"
LOOPBACK = "127.0.0.1"
TESTS = Path(__file__).parents[1]

INTERPRETED = {
    # To compile what runs once, over a few rows, is a quarter of all that Java does here. Files are
    # read as ever, in vectors; and the sinks that tests start as a user does compile.
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    # A page that is off would show each plan; the form by default is the dearest to print.
    "spark.sql.ui.explainMode": "simple",
}

# While it is set, pyspark's functions make columns for Connect sessions, otherwise for classic ones.
CONNECT_MODE = "SPARK_CONNECT_MODE_ENABLED"

PYSPARKS_OWN_WARNINGS = (
    # `pyspark.util._load_from_socket` closes the file made of the socket, never the socket; the
    # warning comes whenever the collector comes, so in any test after the first `collect()`.
    r"ignore:unclosed <socket\.socket .*'127\.0\.0\.1':ResourceWarning",
    # Every `toPandas()` of a Connect frame, since pandas 3.
    r"ignore:The copy keyword is deprecated:DeprecationWarning:pyspark\.sql\.pandas\.types",
    # How pyspark 3.5 compares the versions of what it needs.
    r"ignore:distutils Version classes are deprecated:DeprecationWarning:pyspark\.",
    # How pyspark 3.5 looks at a frame of pandas.
    r"ignore:is_\w+_dtype is deprecated:DeprecationWarning:pyspark\.",
)


def pytest_configure(config: pytest.Config) -> None:
    """Let pyspark do what it warns of itself for."""
    for warning in PYSPARKS_OWN_WARNINGS:
        config.addinivalue_line("filterwarnings", warning)


@pytest.fixture(scope="session", autouse=True)
def frugal_java() -> Iterator[None]:
    """Let every Java process that Spark is started in, by a test or by what it starts, take little."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("SPARK_SUBMIT_OPTS", FRUGAL)
        yield


@pytest.fixture(scope="session")
def free_port() -> int:
    """The port of the shared broker."""
    return a_free_port()


@pytest.fixture(scope="module")
def another_free_port() -> int:
    """A port for a broker of a module's own."""
    return a_free_port()


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory, free_port: int) -> Iterator[EmbeddedBroker]:
    """The broker of the whole run; tests share it and tell their topics apart by `topic_prefix`."""
    embedded = EmbeddedBroker(tmp_path_factory.mktemp("broker"), free_port)
    embedded.start(timeout_seconds=START_SECONDS)
    yield embedded
    embedded.stop()


def start_older_spark(extra_conf: Mapping[str, str]) -> SparkSession:
    """Start the installed Spark, which is older than the sink's, with the sink's settings.

    Only the capture has to work there: `make test-compat`.
    """
    coordinates = (
        f"io.delta:delta-spark_2.12:{version('delta-spark')}",
        # From Spark 4.0 on, pyspark ships it.
        f"org.apache.spark:spark-connect_2.12:{pyspark.__version__}",
    )
    jars = resolve_jars(JarSet("compat", coordinates, beside_spark=True))
    conf = spark_conf(
        master=MASTER,
        driver_memory=DRIVER_MEMORY,
        jars=tuple(str(jar) for jar in jars),
        extra_conf={"spark.app.name": APP_NAME, **extra_conf},
    )
    settings = SparkConf(loadDefaults=False).setAll(list(conf.items()))
    SparkContext(conf=settings, gateway=launch_spark(settings))
    return SparkSession.builder.getOrCreate()


@pytest.fixture(scope="session")
def classic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    """The classic Spark session of the whole run."""
    # It would be joined, with its settings and without Delta.
    assert SparkContext._gateway is None, (
        "a test, or what it called, has started a Spark of its own"
    )
    folder = tmp_path_factory.mktemp("spark")
    extra_conf = {
        **INTERPRETED,
        "spark.python.daemon.module": python_workers.__name__,
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
        "spark.driver.extraJavaOptions": f"-Dderby.system.home={folder} -Xms{DRIVER_MEMORY}",
        "spark.connect.grpc.binding.address": LOOPBACK,
        "spark.connect.grpc.binding.port": "0",
    }
    with pytest.MonkeyPatch.context() as environment:
        # Java hands it on to its Python workers.
        environment.setenv("PYTHONPATH", str(TESTS), prepend=os.pathsep)
        if pyspark.__version__ == SPARK_VERSION:
            session = build_session(
                APP_NAME,
                master=MASTER,
                driver_memory=DRIVER_MEMORY,
                short_lived=True,
                extra_conf=extra_conf,
            )
        else:
            session = start_older_spark(extra_conf)
    yield session
    session.stop()


@pytest.fixture(scope="session")
def spark(classic: SparkSession) -> SparkSession:
    """The session that a test runs on; the tests of the capture can choose another kind."""
    return classic


@pytest.fixture(scope="session")
def connect_client(classic: SparkSession) -> Iterator[SparkSession]:
    """A session of a Connect server that runs in the Java process of `classic`.

    `remote("local[2]")` would start it there as well, but refuses to beside a classic session.
    """
    jvm = classic.sparkContext._jvm
    assert jvm is not None
    services = jvm.org.apache.spark.sql.connect.service
    server = getattr(getattr(services, "SparkConnectService$"), "MODULE$")
    server.start(classic.sparkContext._jsc.sc())
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv(CONNECT_MODE, "1")  # as create() does, for good
        session = SparkSession.builder.remote(f"sc://{LOOPBACK}:{server.localPort()}").create()
    yield session
    session.stop()
    none = jvm.scala.Option.empty()
    server.stop(none, none)


@pytest.fixture
def connect(connect_client: SparkSession, monkeypatch: pytest.MonkeyPatch) -> SparkSession:
    """The Connect session of the whole run, in a process that is a Connect client for one test.

    Its catalog is that of `classic`, whose own frames cannot be worked with in the same test.
    """
    monkeypatch.setenv(CONNECT_MODE, "1")
    return connect_client


@pytest.fixture
def topic_prefix() -> str:
    """A prefix of topics that no other test has."""
    return f"test-{uuid.uuid4().hex[:12]}."


@pytest.fixture
def lake(tmp_path: Path) -> str:
    """An empty lake."""
    return str(tmp_path / "lake")
