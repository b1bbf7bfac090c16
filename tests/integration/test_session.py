"""The Spark session, for real: what it withstands, and what a user sees of its start."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from conformare_sink.spark.class_archive import make_archive
from conformare_sink.spark.logs import CONFIGURATION, quieten

START = """
import sys
from conformare_sink.errors import SinkError
from conformare_sink.spark.logs import CONFIGURATION, quieten
from conformare_sink.spark.session import build_session
extra_conf = dict(setting.split("=", 1) for setting in sys.argv[1:])
try:
    session = build_session("test", master="local[1]", short_lived=True, extra_conf=extra_conf)
except SinkError as exc:
    print(type(exc).__name__, exc)
else:
    {then}
    session.stop()
"""
COUNT = START.format(then="print(session.range(3).count())")
MAPPED = START.format(
    then="""
    with open(f"/proc/{session.sparkContext._gateway.proc.pid}/maps") as maps:
        print(maps.read())
    print("rows:", session.range(3).count())
"""
)
# A query that a task ends, a result that is too large, and an error of which nothing else tells.
FAIL = START.format(
    then="""
    import logging
    logging.getLogger("py4j.clientserver").disabled = True
    def land(batch, _):
        batch.selectExpr("raise_error('of a task')").collect()
    failing = session.readStream.format("rate").load().writeStream.foreachBatch(land).start()
    for end in (failing.awaitTermination, session.range(500_000).collect):
        try:
            end()
        except Exception as exc:
            print("told" if "of a task" in str(exc) or "maxResultSize" in str(exc) else exc)
    log4j = session.sparkContext._jvm.org.apache.logging.log4j.LogManager
    log4j.getLogger("org.apache.spark.scheduler.TaskSetManager").warn(
        "Lost task 0.0 in stage 1.0 (TID 1) (10.0.0.7 executor 2): java.io.IOException: gone"
    )
"""
)
SPARKS_OWN = "org/apache/spark/log4j2-defaults.properties"


def start_session(program: str, folder: Path, *settings: str) -> subprocess.CompletedProcess[str]:
    """Start a session in a process of its own: this one has its Java already."""
    return subprocess.run(
        [sys.executable, "-c", program, *settings],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
    )


def test_a_java_that_ends_soon_has_no_optimising_compiler(spark: SparkSession) -> None:
    """Nor the small room for compiled code that Java then keeps."""
    jvm: Any = spark.sparkContext._jvm
    runtime = jvm.java.lang.management.ManagementFactory.getRuntimeMXBean()
    given = list(runtime.getInputArguments())
    assert "-XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=240m" in " ".join(given)


def test_a_local_spark_does_not_look_up_the_name_of_its_machine(spark: SparkSession) -> None:
    """In a container without a network, no name server and no file knows it."""
    jvm: Any = spark.sparkContext._jvm
    assert jvm.System.getenv("SPARK_LOCAL_IP") == "127.0.0.1"


def test_times_are_utc_and_delta_is_the_catalog(spark: SparkSession) -> None:
    """Wherever the machine stands."""
    assert spark.conf.get("spark.sql.session.timeZone") == "UTC"
    assert "Delta" in str(spark.conf.get("spark.sql.catalog.spark_catalog"))


def test_a_start_says_nothing_and_leaves_nothing(tmp_path: Path) -> None:
    """No warnings that every start repeats, no folder of a warehouse."""
    done = start_session(COUNT, tmp_path)
    assert (done.stdout, done.stderr) == ("3\n", "")
    assert list(tmp_path.iterdir()) == []


def test_a_java_that_does_not_start_is_told_in_one_line(tmp_path: Path) -> None:
    """Here for a heap that is none."""
    done = start_session(COUNT, tmp_path, "spark.driver.memory=plenty")
    assert done.stdout.startswith("SparkStartError Spark did not start: ")
    assert done.stdout.count("\n") == 1
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("in_front", "fits"),
    [
        ("", True),
        pytest.param("spark.driver.extraClassPath=/", False, marks=pytest.mark.long),
    ],
)
def test_java_starts_from_the_archive_of_classes_if_it_fits(
    in_front: str, *, fits: bool, tmp_path: Path
) -> None:
    """And without a word about it if it does not, as for a user's own class path in front of ours."""
    archive = make_archive()
    done = start_session(MAPPED, tmp_path, *filter(None, [in_front]))
    maps, rows = done.stdout.split("rows: ")
    assert (str(archive) in maps, rows, done.stderr) == (fits, "3\n", "")


def test_spark_does_not_tell_what_the_sink_tells(tmp_path: Path) -> None:
    """What comes as an exception is not in the log as well; what does not come, is."""
    done = start_session(FAIL, tmp_path, "spark.driver.maxResultSize=1m")
    assert done.stdout == "told\ntold\n"
    (line,) = done.stderr.splitlines()
    assert line.endswith("executor 2): java.io.IOException: gone")


@pytest.fixture
def log_location(spark: SparkSession) -> Iterator[Callable[[str | None], str]]:
    """Configures Java's log by a file, or not, and returns by which it is; it is as before, after."""
    jvm: Any = spark.sparkContext._jvm
    log4j = jvm.org.apache.logging.log4j
    context = log4j.LogManager.getContext(False)

    def configured(file: str | None) -> str:
        if file is not None:
            log4j.core.config.Configurator.reconfigure(jvm.java.net.URI(file))
        return str(context.getConfiguration().getConfigurationSource().getLocation())

    before = configured(None)
    yield configured
    configured(Path(before).as_uri())


def test_a_log_that_nobody_has_configured_is_made_quiet(
    spark: SparkSession, log_location: Callable[[str | None], str], tmp_path: Path
) -> None:
    """As in a Java that spark-submit has started; who configures it keeps what they have."""
    jvm: Any = spark.sparkContext._jvm
    sparks_own = jvm.java.lang.ClassLoader.getSystemResource(SPARKS_OWN).toString()
    assert log_location(sparks_own).endswith(SPARKS_OWN)
    quieten(jvm)
    assert log_location(None) == CONFIGURATION
    theirs = tmp_path / "log4j2.properties"
    theirs.write_text("rootLogger.level = warn\n", encoding="utf-8")
    assert log_location(theirs.as_uri()) == str(theirs)
    quieten(jvm)
    assert log_location(None) == str(theirs)
