"""A writer's Python is gone and its Java is not: whatever that still commits, nobody writes beside it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from conformare_sink.errors import LakeBusyError
from conformare_sink.lake.lake import open_for_writing
from conformare_sink.lake.tables import LakeTables
from conformare_sink.lake.writer import java_lock

WRITER = """
import sys
from conformare_sink.lake.lake import open_for_writing
from conformare_sink.spark.session import build_session
from conformare_sink.lake.tables import LakeTables

spark = build_session("writer", master="local[1]")
with open_for_writing(LakeTables(spark, sys.argv[1]), "a writer"):
    print(spark.sparkContext._gateway.proc.pid, flush=True)
    sys.stdin.read()
"""

HANGING = """
import subprocess
from types import SimpleNamespace
from pyspark import SparkContext
from conformare_sink.cli.sink import _end_at_once

SparkContext._gateway = SimpleNamespace(proc=subprocess.Popen(["sleep", "600"]))
_end_at_once()
"""


def test_a_lake_is_free_when_java_has_ended_as_well(
    spark: SparkSession, lake: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until then the next writer waits, and is told at last who is in its way."""
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, lake],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as writer:
        assert writer.stdout is not None
        java = int(writer.stdout.readline())
        os.kill(java, signal.SIGSTOP)
        writer.kill()
    tables = LakeTables(spark, lake)
    told = rf"may still be written by Java, process {java}, of a writer, process {writer.pid} on "
    try:
        monkeypatch.setattr(java_lock, "END_SECONDS", 0.3)
        with pytest.raises(LakeBusyError, match=told), open_for_writing(tables, "the next"):
            pass
    finally:
        os.kill(java, signal.SIGCONT)
    monkeypatch.setattr(java_lock, "END_SECONDS", 120.0)
    with open_for_writing(tables, "the next"):
        assert f"process {os.getpid()} " in Path(lake, java_lock.JAVA_LOCK_FILE).read_text()


def test_a_sink_that_ends_in_the_middle_ends_its_java_first() -> None:
    """Whoever still had its stdout would keep this waiting."""
    ended = subprocess.run(
        [sys.executable, "-c", HANGING], capture_output=True, text=True, check=False, timeout=60
    )
    assert ended.returncode == 3
    assert "ending in the middle" in ended.stderr
