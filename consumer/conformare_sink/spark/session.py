"""The Spark session that the sink runs in: what is set, why, and how it is started."""

from __future__ import annotations

import os
from collections.abc import Mapping

from pyspark import SparkConf, SparkContext
from pyspark.sql import SparkSession

from conformare_sink.spark.class_archive import java_options
from conformare_sink.spark.jars import SINK_JARS, resolve_jars
from conformare_sink.spark.logs import CONFIGURATION, quieten
from conformare_sink.spark.process import launch_spark

DEFAULT_MASTER = "local[*]"

_DRIVER_OPTIONS = "spark.driver.extraJavaOptions"
_SHORT_LIVED = "-XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=240m"
"""Java's optimising compiler gives back in an hour what it takes in the first minutes, a fifth of
them. Without it, Java would keep less room for compiled code than Spark needs."""
_SHUFFLE_PARTITIONS = 4
_LOOPBACK = "127.0.0.1"
_SETTLED = str(64 * 1024 * 1024)
"""Bytes; files of a table that have so much together are not put together with others again."""


def spark_conf(
    *,
    master: str = DEFAULT_MASTER,
    driver_memory: str | None = None,
    jars: tuple[str, ...] = (),
    extra_conf: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """Return the settings of a session that can read Kafka and write Delta.

    Args:
        master: Spark's master URL.
        driver_memory: Heap of the driver, such as "2g"; None for Spark's default.
        jars: Paths of the jars to load.
        extra_conf: Settings that win over ours; Java options are joined, these last.
    """
    conf = {
        "spark.master": master,
        "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
        "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.adaptive.enabled": "true",
        "spark.sql.shuffle.partitions": str(_SHUFFLE_PARTITIONS),
        # All grains' messages together have more fields than Spark compiles a stage for by default;
        # without that, every task generates its code again.
        "spark.sql.codegen.maxFields": "1000",
        # A table's log is a few hundred actions: Delta's 50 tasks to read it cost seconds each time.
        "spark.databricks.delta.snapshotPartitions": "1",
        # Otherwise every maintenance writes most tables anew: until 100 GB are clustered together,
        # and until a file that is not clustered has 1 GB.
        "spark.databricks.delta.optimize.clustering.mergeStrategy.minCubeSize.threshold": _SETTLED,
        "spark.databricks.delta.optimize.clustering.mergeStrategy.minCubeSize.targetCubeSize": (
            _SETTLED
        ),
        "spark.databricks.delta.optimize.minFileSize": _SETTLED,
        # Delta's VACUUM otherwise takes no notice of the retention that it is given.
        "spark.databricks.delta.vacuum.retentionWindowIgnore.enabled": "false",
        # The sources of our MERGEs are the same however often they are read.
        "spark.databricks.delta.merge.materializeSource": "none",
        # What VACUUM deletes is not worth two commits; and for ten thousand tasks at a time there is
        # too little to list.
        "spark.databricks.delta.vacuum.logging.enabled": "false",
        "spark.sql.sources.parallelPartitionDiscovery.parallelism": str(_SHUFFLE_PARTITIONS),
        # A micro-batch comes into the driver; what is larger comes in portions.
        "spark.driver.maxResultSize": "128m",
        # Of what a Python worker gets at once; by their number, messages may be too many.
        "spark.sql.execution.arrow.maxBytesPerBatch": "16m",
        # A task that runs out of memory fails, and Java lives on: its messages are read again in
        # smaller parts.
        "spark.executor.killOnFatalError.depth": "0",
        # What a consumer has made of its last fetch is kept for five minutes otherwise: it can be
        # most of the heap.
        "spark.kafka.consumer.fetchedData.cache.timeout": "1s",
        "spark.kafka.consumer.fetchedData.cache.evictorThreadRunInterval": "1s",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        _DRIVER_OPTIONS: f'"-Dlog4j2.configurationFile={CONFIGURATION}"',
    }
    if jars:
        conf["spark.jars"] = ",".join(jars)
    if driver_memory is not None:
        conf["spark.driver.memory"] = driver_memory
    if is_local(master):
        conf |= {"spark.driver.host": _LOOPBACK, "spark.driver.bindAddress": _LOOPBACK}
    for name, value in (extra_conf or {}).items():
        conf[name] = f"{conf[name]} {value}" if name == _DRIVER_OPTIONS else value
    return conf


def is_local(master: str) -> bool:
    """Whether one Java process is all of Spark."""
    return master == "local" or master.startswith("local[")


def build_session(
    app_name: str,
    *,
    master: str | None = None,
    driver_memory: str | None = None,
    short_lived: bool = False,
    extra_conf: Mapping[str, str] | None = None,
) -> SparkSession:
    """Start a Spark session for the sink, or join the one that this process has.

    Under `spark-submit`, what was submitted wins over our defaults, and the arguments over both.

    Args:
        app_name: Name of the application.
        master: Spark's master URL; None for what was submitted, otherwise "local[*]".
        driver_memory: Heap of the driver, such as "2g"; of no effect where Java runs already.
        short_lived: Whether it ends when something is done, within minutes.
        extra_conf: Settings that win over ours.

    Raises:
        JavaNotFoundError: There is no Java that Spark supports.
        JarResolutionError: The jars are not on this machine and could not be fetched.
        SparkStartError: Spark's Java process ended before it was ready.
    """
    submitted = _submitted_conf()
    given = {"spark.app.name": app_name, **submitted, **(extra_conf or {})}
    if master is not None:
        given["spark.master"] = master
    # Who submits names the jars as well: ours could be of another version of Spark.
    has_jars = "spark.jars" in given or "spark.jars.packages" in given
    jars = () if has_jars else resolve_jars(SINK_JARS)
    starts_java = SparkContext._gateway is None  # noqa: SLF001 - nothing public tells that
    chosen_master = given.get("spark.master", DEFAULT_MASTER)
    # Where there are no executors to send them to, jars can be on Java's own class path: only from
    # there do classes come out of an archive.
    on_class_path = jars if starts_java and is_local(chosen_master) else ()
    conf = spark_conf(
        master=chosen_master,
        driver_memory=driver_memory,
        jars=() if on_class_path else tuple(map(str, jars)),
        extra_conf=given,
    )
    if starts_java:
        if on_class_path:
            conf[_DRIVER_OPTIONS] = f"{java_options()} {conf[_DRIVER_OPTIONS]}"
        if short_lived and is_local(chosen_master):
            conf[_DRIVER_OPTIONS] = f"{_SHORT_LIVED} {conf[_DRIVER_OPTIONS]}"
        settings = SparkConf(loadDefaults=False).setAll(list(conf.items()))
        address = _LOOPBACK if is_local(chosen_master) else None
        SparkContext(conf=settings, gateway=launch_spark(settings, on_class_path, address))
    return SparkSession.builder.config(map=dict(conf)).getOrCreate()


def _submitted_conf() -> dict[str, str]:
    """Return the settings given to `spark-submit`, where this process was started by it."""
    if "PYSPARK_GATEWAY_PORT" not in os.environ:
        return {}
    SparkContext._ensure_initialized()  # noqa: SLF001 - SparkConf() asks the Java process
    quieten(SparkContext._jvm)  # noqa: SLF001 - nothing public leads to Log4j
    return dict(SparkConf().getAll())
