"""What Spark and Python have to agree on: portions of a batch, headers, digests."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path

import pyarrow as pa
import pytest
from conformare_sink.lake.scan import PLACE_DIGEST, RUN_DIGEST, Columns, read_digests, scan
from deltalake import write_deltalake
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from conformare_sink.kafka.source import with_sequences
from conformare_sink.lake.digests import place_digest, run_digest
from conformare_sink.lake.tables.tables import LakeTables
from conformare_sink.messages.emission import RunKey
from conformare_sink.messages.message import Message, Place, message_columns, messages_of
from conformare_sink.spark import collect
from conformare_sink.spark.collect import portions

MEGABYTE = 1_000_000
MESSAGES = "key binary, value binary, topic string, partition int, offset long, timestamp timestamp"
HEADERS = "headers array<struct<key string, value binary>>"
NOW = datetime(2026, 1, 2, 3, 4, 5, 678901, timezone.utc)


def large_batch(spark: SparkSession, key: Column) -> DataFrame:
    """Two hundred messages, more than Spark's driver takes at once."""
    assert spark.sparkContext.getConf().get("spark.driver.maxResultSize") == "128m"
    return spark.range(200).select(
        key.cast("string").cast("binary").alias("key"),
        F.repeat(F.lit("x"), F.lit(MEGABYTE)).cast("binary").alias("value"),
        F.lit("topic").alias("topic"),
        F.lit(0).alias("partition"),
        F.col("id").alias("offset"),
        F.lit(NOW).alias("timestamp"),
        F.lit(None).cast("string").alias("producer"),
        F.lit(None).cast("long").alias("sequence"),
    )


def test_a_batch_that_exceeds_memory_comes_in_portions(spark: SparkSession) -> None:
    """Each message once, and all of a run's in one portion."""
    offsets: list[int] = []
    keys: list[set[bytes | None]] = []
    for portion in portions(large_batch(spark, F.col("id") % 9)):
        offsets += [message.offset for message in portion.messages]
        keys.append({message.key for message in portion.messages})
    assert sorted(offsets) == list(range(200))
    assert len(keys) > 1
    assert sum(map(len, keys)) == 9


@pytest.mark.parametrize("key", [None, "one"])
def test_what_has_no_key_of_its_own_comes_in_portions_too(
    spark: SparkSession, key: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever sends garbage sends it without a key, or all of it under one."""
    monkeypatch.setattr(collect, "MOST_PORTIONS", 2)
    found = [[m.offset for m in p.messages] for p in portions(large_batch(spark, F.lit(key)))]
    assert sorted(offset for portion in found for offset in portion) == list(range(200))
    assert len([portion for portion in found if portion]) > 1


def test_producers_and_their_sequences_come_from_the_headers(spark: SparkSession) -> None:
    """Hostile and missing ones are none."""
    headers = [
        [("conformare.producer", b"a"), ("conformare.sequence", b"1")],
        [("conformare.producer", b"a"), ("conformare.sequence", b"1")],
        [("conformare.sequence", b"99999999999999999999"), ("conformare.producer", b"a")],
        [("conformare.sequence", b"\xff"), ("conformare.producer", b"\xff")],
        [("conformare.producer", b"b")],
        None,
    ]
    rows = [(b"k", b"v", "t", 0, n, NOW, those) for n, those in enumerate(headers)]
    batch = with_sequences(spark.createDataFrame(rows, f"{MESSAGES}, {HEADERS}"))
    (portion,) = portions(batch)
    assert portion.sequences == {("a", 1)}
    assert [m.timestamp for m in portion.messages] == [int(NOW.timestamp() * 1e6)] * 6


@pytest.mark.parametrize("here", [True, False], ids=["by delta-rs", "by Spark"])
def test_digests_are_those_of_the_rows_wherever_they_are_computed(
    spark: SparkSession, tmp_path: Path, here: bool
) -> None:
    """Whatever characters run_ids, pipelines and topics have."""
    runs = [RunKey("p", "r"), RunKey("", ""), RunKey("🚲é", "a\x00b"), RunKey("r", "日本🚲")]
    micros = int(NOW.timestamp()) * 1_000_000 + NOW.microsecond
    place = Place("töpic", 3, 2**40, micros)
    names = dict(zip(RunKey._fields, zip(*runs, strict=True), strict=True))
    write_deltalake(tmp_path / "runs", pa.table(names))
    message = Message(b"k", b"v", *place)
    write_deltalake(tmp_path / "quarantine", pa.table(message_columns([message])))
    # The address of the same folder as a file system that is not this machine's.
    spark.sparkContext._jsc.hadoopConfiguration().set(
        "fs.viewfs.mounttable.scanned.link./lake", tmp_path.as_uri()
    )
    tables = LakeTables(spark, str(tmp_path) if here else "viewfs://scanned/lake")
    found = read_digests(tables, "runs", RUN_DIGEST)
    assert found.contain([*map(run_digest, runs), run_digest(RunKey("p", "q"))]) == [
        *[True] * 4,
        False,
    ]
    assert len(found) == len(runs)
    quarantined = read_digests(tables, "quarantine", PLACE_DIGEST)
    assert quarantined.contain([place_digest(place)]) == [True]
    (rows,) = scan(tables, "quarantine", Columns.named(*Message._fields))
    assert messages_of(rows) == [message]
