"""Batches that are heavier than memory, and messages that no memory holds: the sink lives.

With a small Java of each test's own, for that of the whole run has more memory than a backlog here.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from confluent_kafka import Producer
from deltalake import DeltaTable
from support.produce import Topic, messages_of
from support.records import Record, make_record

from conformare_schemas import topic_name
from conformare_sink.broker.broker import EmbeddedBroker
from conformare_sink.kafka.topics import Topics

MIB = 1024 * 1024
HEAP = "480m"
"""Spark does not start with much less."""
MOST_PYTHON_MIB = 1024
SINK = """
import json, sys
from conformare_sink.options import SinkOptions
from conformare_sink.spark.session import build_session
from conformare_sink.stream.stream import SinkStream
servers, lake, prefix, heap = sys.argv[1:]
spark = build_session("heavy", master="local[2]", driver_memory=heap, short_lived=True)
options = SinkOptions(bootstrap_servers=servers, lake=lake, topic_prefix=prefix)
reports = []
SinkStream(spark, options, reports.append).run_once()
with open("/proc/self/status") as status:
    (peak,) = (line.split()[1] for line in status if line.startswith("VmHWM"))
print(json.dumps({"peak_mib": int(peak) // 1024, "messages": sum(r.messages for r in reports)}))
"""


@pytest.fixture
def land(
    broker: EmbeddedBroker, topics: Topics, topic_prefix: str, lake: str
) -> Callable[[], dict[str, Any]]:
    """Runs a sink with little memory once, and returns what it says at its end."""

    def run() -> dict[str, Any]:
        assert topics.names
        arguments = [broker.bootstrap_servers, lake, topic_prefix, HEAP]
        done = subprocess.run(
            [sys.executable, "-c", SINK, *arguments], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr[-2000:]
        found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        assert found["peak_mib"] < MOST_PYTHON_MIB
        return found

    return run


def heavy_record(run_id: str, size: int) -> Record:
    """A record whose message of the grain `contexts` has so many bytes, and a few."""
    record = make_record(run_id, rows={"contexts": 1})
    record["contexts"][0]["purpose"] = "x" * size
    return record


@pytest.mark.parametrize(("runs", "size"), [(8_000, 12_000), (160, 900_000)])
def test_an_honest_backlog_lands(
    runs: int, size: int, topic: Topic, land: Callable[[], dict[str, Any]], lake: str
) -> None:
    """Though one planned batch has more bytes than memory has room for."""
    records = ((n, heavy_record(f"run {n}", size)) for n in range(runs))
    topic.send(message for n, record in records for message in messages_of(record, f"e{n}"))
    assert land()["messages"] == 2 * runs
    assert rows(lake, "runs") == runs
    assert rows(lake, "contexts") == runs
    assert rows(lake, "quarantine") == 0


def rows(lake: str, table: str) -> int:
    """How many rows a table has."""
    count: int = DeltaTable(f"{lake}/{table}").to_pyarrow_dataset().count_rows()
    return count


def compressing(broker: EmbeddedBroker) -> Producer:
    """A producer whose batches have as many messages as it gets in a moment, and few bytes."""
    return Producer(
        {
            "bootstrap.servers": broker.bootstrap_servers,
            "compression.type": "zstd",
            "message.max.bytes": 900_000_000,
            "batch.size": 900_000_000,
            "linger.ms": 500,
        }
    )


def send_zeros(broker: EmbeddedBroker, topic: str, size: int, count: int) -> None:
    """Send values of zeros, each with a key of its own."""
    producer = compressing(broker)
    for n in range(count):
        producer.produce(topic, key=f"zeros {n}", value=bytes(size), partition=0)
    assert producer.flush(60) == 0


def quarantined(lake: str) -> list[tuple[Any, ...]]:
    """What is in quarantine: offset, key, bytes of the value, cause."""
    found = DeltaTable(f"{lake}/quarantine").to_pyarrow_table().to_pylist()
    places = {(row["topic"], row["partition"], row["offset"], row["timestamp"]) for row in found}
    assert len(places) == len(found)
    return sorted(
        (
            row["offset"],
            row["key"],
            None if row["value"] is None else len(row["value"]),
            row["cause"],
        )
        for row in found
    )


def test_a_value_that_memory_does_not_hold_is_quarantined_by_place_and_size(
    broker: EmbeddedBroker,
    topic: Topic,
    topic_prefix: str,
    land: Callable[[], dict[str, Any]],
    lake: str,
) -> None:
    """Without its bytes; a value of which not even the size can be read, by its place; both once."""
    topic.send(messages_of(make_record("before"), "e1"))
    name = topic_name("risks", topic_prefix)
    send_zeros(broker, name, 150 * MIB, 1)
    send_zeros(broker, name, 600 * MIB, 1)
    topic.send(messages_of(make_record("after"), "e2"))
    assert land()["messages"] == 18
    zeros = [row for row in quarantined(lake) if row[3].startswith("too large")]
    assert [row[1:] for row in zeros] == [
        (b"zeros 0", None, "too large: 157,286,407 bytes"),
        (None, None, "too large: Java's memory does not hold it"),
    ]
    assert rows(lake, "quarantine") == 2
    assert rows(lake, "runs") == 2


def test_many_values_that_came_compressed_are_quarantined_one_by_one(
    broker: EmbeddedBroker,
    topic: Topic,
    topic_prefix: str,
    land: Callable[[], dict[str, Any]],
    lake: str,
) -> None:
    """800 values of 900 KB are 120 KB on the broker's disk."""
    send_zeros(broker, topic_name("contexts", topic_prefix), 900_000, 800)
    topic.send(messages_of(make_record("after"), "e"))
    assert land()["messages"] == 808
    assert [row[0] for row in quarantined(lake)] == list(range(800))
    assert rows(lake, "runs") == 1
