"""The settings of the Spark session; the session itself is met in the integration tests."""

from __future__ import annotations

import pytest

from conformare_sink.spark.process import cause_in
from conformare_sink.spark.session import spark_conf


def test_what_the_caller_sets_wins() -> None:
    """For a cluster, and for tuning."""
    conf = spark_conf(extra_conf={"spark.sql.shuffle.partitions": "64"})
    assert conf["spark.sql.shuffle.partitions"] == "64"


def test_java_options_of_the_caller_come_after_ours_not_instead_of_them() -> None:
    """Java takes the last of two; where its log goes must not get lost."""
    name = "spark.driver.extraJavaOptions"
    assert spark_conf(extra_conf={name: "-Dx=y"})[name] == f"{spark_conf()[name]} -Dx=y"


def test_a_local_session_listens_on_loopback_only() -> None:
    """Nobody else on the network is to reach it; on a cluster the executors must."""
    assert spark_conf(master="local[2]")["spark.driver.bindAddress"] == "127.0.0.1"
    assert "spark.driver.bindAddress" not in spark_conf(master="yarn")


def test_a_heap_and_jars_are_set_only_if_given() -> None:
    """Otherwise Spark's defaults, and what was submitted, stay."""
    assert not {"spark.driver.memory", "spark.jars"} & spark_conf().keys()
    conf = spark_conf(driver_memory="2g", jars=("/a.jar", "/b.jar"))
    assert (conf["spark.driver.memory"], conf["spark.jars"]) == ("2g", "/a.jar,/b.jar")


OF_AN_OPTION = """\
Unrecognized VM option 'UseFoo'
Error: Could not create the Java Virtual Machine.
Error: A fatal exception has occurred. Program will exit.
"""
OF_A_NAME = """\
Exception in thread "main" java.lang.ExceptionInInitializerError
\tat org.apache.spark.deploy.SparkSubmit.main(SparkSubmit.scala)
Caused by: java.net.UnknownHostException: host: host: Name or service not known
\tat java.base/java.net.InetAddress.getLocalHost(InetAddress.java:1671)
\t... 10 more
Caused by: java.net.UnknownHostException: host: Name or service not known
\t... 17 more
[7.283s][warning][cds] Pre JDK 6 class not supported by CDS: 49.0 jdk/internal/Accessor5
"""


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("", None),
        (OF_AN_OPTION, "Unrecognized VM option 'UseFoo'"),
        (OF_A_NAME, "java.net.UnknownHostException: host: Name or service not known"),
    ],
)
def test_a_java_that_ends_at_its_start_is_told_by_its_cause(said: str, told: str | None) -> None:
    """Not by the last line of its stack, nor by a warning about something else."""
    assert cause_in(said.splitlines()) == told
