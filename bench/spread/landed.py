"""A sink lands what the topics hold, and says what its driver took for that."""

from __future__ import annotations

import os
import time
from typing import Any

from bench.landing.process import arguments, found
from bench.spread.cpu import busy_seconds, cpu_seconds, peak_mb
from pyspark import SparkContext

from conformare_sink.landing.report import BatchReport
from conformare_sink.options import Engine, SinkOptions
from conformare_sink.spark.session import build_session
from conformare_sink.stream.stream import SinkStream

given = arguments()
spark = build_session(
    "bench",
    master=given["master"],
    driver_memory="1g",
    short_lived=True,
    extra_conf=given["conf"],
)
gateway: Any = SparkContext._gateway  # noqa: SLF001 - nothing public has the process
java: int = gateway.proc.pid
options = SinkOptions(
    bootstrap_servers=given["servers"],
    lake=given["lake"],
    topic_prefix=given["prefix"],
    max_messages_per_batch=given["messages"],
    engine=Engine(given["engine"]),
)
batches: list[BatchReport] = []
known = (os.getpid(), java, int(given["broker"]))
before = {pid: cpu_seconds(pid) for pid in known}
busy = busy_seconds()
start = time.perf_counter()
SinkStream(spark, options, batches.append).run_once()
seconds = time.perf_counter() - start
busy = busy_seconds() - busy
cpu = {pid: cpu_seconds(pid) - already for pid, already in before.items()}
found(
    seconds=seconds,
    batches=[batch.seconds for batch in batches],
    runs=sum(batch.rows.get("runs", 0) for batch in batches),
    python_cpu=cpu[os.getpid()],
    java_cpu=cpu[java],
    others_cpu=busy - sum(cpu.values()),
    python_mb=peak_mb(),
    java_mb=peak_mb(java),
)
spark.stop()
