"""What a job may choose lands: every setting of librdkafka that is left to it, and every time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest
from deltalake import DeltaTable, QueryBuilder
from pyspark.sql import SparkSession
from pyspark.sql import functions as F
from support.lakes.checker import check
from support.messages.records import make_record

from conformare.emission import KafkaOptions, KafkaWriter, _courier
from conformare_schemas import EARLIEST_TS, EARLIEST_TS_MICROS, LATEST_TS_MICROS
from conformare_sink.broker.broker import EmbeddedBroker
from conformare_sink.kafka.topics import Topics
from conformare_sink.landing.report import BatchReport

PATIENCE_SECONDS = 60

SETTINGS: list[dict[str, Any]] = [
    *({"compression.type": codec} for codec in ("none", "gzip", "snappy", "lz4", "zstd")),
    *(
        {"partitioner": name}
        for name in ("consistent", "consistent_random", "murmur2", "murmur2_random", "fnv1a")
    ),
    {"acks": "all", "retries": 1, "max.in.flight": 1},
    {"request.required.acks": -1, "message.timeout.ms": "0", "enable.idempotence": "true"},
    {"linger.ms": 900_000},
    {"queue.buffering.max.ms": 900_000, "sticky.partitioning.linger.ms": 900_000},
    {"queue.buffering.max.messages": 1, "queue.buffering.max.kbytes": 2_000},
    {"batch.num.messages": 1, "batch.size": 1},
    {"message.copy.max.bytes": 0, "request.timeout.ms": 1, "statistics.interval.ms": 1},
    {"client.id": "of the job", "enable.random.seed": False, "allow.auto.create.topics": False},
]

TIMES = [
    "1900-01-01T00:00:00.000000Z",
    "1900-01-01T00:00:00.000001Z",
    "1969-12-31T23:59:59.998500Z",
    "1969-12-31T23:59:59.999999Z",
    "1970-01-01T00:00:00.000000Z",
    "9999-12-31T23:59:59.999999Z",
]


def test_whatever_a_job_may_choose_lands(
    broker: EmbeddedBroker,
    topics: Topics,  # noqa: ARG001 - they are created
    topic_prefix: str,
    lake: str,
    spark: SparkSession,
    catch_up: Callable[[], list[BatchReport]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each run whole, under its own time, for every reader."""
    # A process keeps its producers to its end: one that counts every millisecond would take half a core
    # from all the tests that follow.
    kept: list[object] = []
    monkeypatch.setattr(_courier, "_leak", kept.append)
    records = []
    for n, settings in enumerate(SETTINGS):
        record = make_record(f"run-{n}", ts=TIMES[n % len(TIMES)], rows={"risks": 20})
        records.append(record)
        writer = KafkaWriter(
            KafkaOptions(
                bootstrap_servers=broker.bootstrap_servers,
                topic_prefix=topic_prefix,
                kafka=settings,
            )
        )
        writer.write(record)
        assert writer.flush(PATIENCE_SECONDS) == 0, settings
        assert writer.stats().delivered == 1, settings
        writer.close(0)
        assert kept, settings
        kept.clear()
    catch_up()
    assert check(lake, records).is_sound
    rows = spark.read.format("delta").load(f"{lake}/runs")
    ends = rows.select(F.unix_micros(F.min("ts")), F.unix_micros(F.max("ts"))).first()
    assert ends == (EARLIEST_TS_MICROS, LATEST_TS_MICROS)
    earliest = rows.where(F.col("ts") <= F.lit(EARLIEST_TS.isoformat()).cast("timestamp"))
    assert earliest.count() == len(SETTINGS[:: len(TIMES)])
    found = QueryBuilder().register("runs", DeltaTable(f"{lake}/runs"))
    sql = "SELECT count(*) AS n FROM runs WHERE ts < to_timestamp_micros(0)"
    before_1970 = sum(TIMES[n % len(TIMES)] < "1970" for n in range(len(SETTINGS)))
    assert pa.table(found.execute(sql).read_all()).to_pylist() == [{"n": before_1970}]
