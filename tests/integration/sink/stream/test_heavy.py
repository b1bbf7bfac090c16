"""Batches that are heavier than memory: Java has little of it here, and what comes is much.

Each kind of what is sent here ended the sink before it knew what a batch weighs, also by itself.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer
from support.lakes.landed import tables_in
from support.messages.produce import messages_of
from support.messages.records import make_record

from conformare_schemas import topic_name
from conformare_sink.broker.broker import EmbeddedBroker
from conformare_sink.kafka.topics import Topics
from conformare_sink.lake.tables.tables import select_rows

pytestmark = pytest.mark.long

SECONDS = 400
HEAP = "512m"
MOST_PYTHON_MIB = 1024
KILOBYTE, MEGABYTE = 1_000, 1_000_000
MIDDLING, LARGE, ZEROS = 3_000, 100, 500
SINK = """
import json, sys
from conformare_sink.options import SinkOptions
from conformare_sink.spark.session import build_session
from conformare_sink.stream.stream import SinkStream

servers, prefix, lake, heap = sys.argv[1:]
spark = build_session("heavy", master="local[2]", driver_memory=heap, short_lived=True)
options = SinkOptions(bootstrap_servers=servers, topic_prefix=prefix, lake=lake)
batches = []
SinkStream(spark, options, batches.append).run_once()
with open("/proc/self/status") as status:
    (peak,) = (line.split()[1] for line in status if line.startswith("VmHWM"))
messages = sum(batch.messages for batch in batches)
sequences = sorted({one for batch in batches for one in batch.sequences})
print(json.dumps({"peak_mib": int(peak) // 1024, "messages": messages, "sequences": sequences}))
"""


class Sender:
    """Sends to the topics of one test, as compressed as a producer likes."""

    def __init__(self, servers: str, prefix: str) -> None:
        self._prefix = prefix
        self._producer = Producer(
            {
                "bootstrap.servers": servers,
                "message.max.bytes": 1_000 * MEGABYTE,
                "compression.type": "zstd",
                "linger.ms": 50,
                "queue.buffering.max.kbytes": 1_000_000,
            }
        )

    def send(
        self,
        grain: str,
        key: bytes | None,
        value: bytes,
        headers: Sequence[tuple[str, bytes]] = (),
    ) -> None:
        """Send one message, when there is room for it."""
        topic = topic_name(grain, self._prefix)
        if len(value) > 100 * MEGABYTE:
            self.flush()  # librdkafka holds a gigabyte of messages, however slow the broker is
        self._producer.produce(topic, key=key, value=value, headers=[*headers])
        while len(self._producer) > 500:
            self._producer.poll(0.05)

    def run(self, run_id: str, purpose: str) -> None:
        """Send a run whose one context has a long purpose."""
        record = make_record(run_id)
        record["contexts"] = [{**record["contexts"][0], "purpose": purpose}]
        for message in messages_of(record, f"e-{run_id}"):
            self.send(message.grain, message.key, message.value)

    def flush(self) -> None:
        """Return when the broker has all of them."""
        assert self._producer.flush(SECONDS) == 0


@pytest.fixture(scope="module")
def landed(
    broker: EmbeddedBroker, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict[str, Any]]:
    """A lake into which all of this has been landed, and what its sink says of itself."""
    prefix = "heavy."
    Topics(broker.bootstrap_servers, prefix).create()
    sender = Sender(broker.bootstrap_servers, prefix)
    for number in range(MIDDLING):
        sender.run(f"middling-{number:05}", f"{number:05}" * 2_400)
    for number in range(LARGE):
        sender.run(f"large-{number:03}", f"{number:03}" * 300_000)
    for _ in range(ZEROS):
        sender.send("owners", b"zeros", bytes(900 * KILOBYTE))
    sender.send("risks", b"bomb", bytes(150 * MEGABYTE))
    sender.send("sources", b"beyond", bytes(600 * MEGABYTE))
    sender.send("sinks", b"k" * 900 * KILOBYTE, b"a long key")
    numbered = [("conformare.producer", b"\xff"), ("conformare.sequence", b"7")]
    sender.send("runs", b"header", b"not framed", numbered)
    sender.send("runs", b"headers", b"not framed", [("x", b"y" * 100)] * 5_000)
    sender.flush()
    lake = tmp_path_factory.mktemp("heavy") / "lake"
    command = [sys.executable, "-c", SINK, broker.bootstrap_servers, prefix, str(lake), HEAP]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=SECONDS)
    assert done.returncode == 0, done.stderr[-4000:]
    return lake, json.loads(done.stdout.splitlines()[-1])


Landed = tuple[Path, dict[str, Any]]


def test_every_honest_run_lands_however_heavy_its_batch_is(landed: Landed) -> None:
    """Whole: each has the purpose that it was sent with."""
    sql = "SELECT run_id, max(length(purpose)) AS n FROM contexts GROUP BY run_id"
    found = {row["run_id"]: row["n"] for row in select_rows(tables_in(landed[0]), sql, "contexts")}
    runs = select_rows(tables_in(landed[0]), "SELECT count(*) AS n FROM runs", "runs")
    assert runs == [{"n": MIDDLING + LARGE}]
    assert len(found) == MIDDLING + LARGE
    assert {n for run_id, n in found.items() if run_id.startswith("middling")} == {12_000}
    assert {n for run_id, n in found.items() if run_id.startswith("large")} == {900_000}


def test_what_is_too_large_is_quarantined_by_place_and_size(landed: Landed) -> None:
    """Without its bytes, and each message once."""
    sql = "SELECT topic, cause, value IS NULL AS is_gone, value_bytes, count(*) AS n FROM quarantine GROUP BY 1, 2, 3, 4"
    rows = select_rows(tables_in(landed[0]), sql, "quarantine")
    by_topic = {row["topic"]: row for row in rows if row["topic"] != "heavy.runs"}
    bomb, beyond = by_topic["heavy.risks"], by_topic["heavy.sources"]
    assert all(row["cause"].startswith("too large") for row in (bomb, beyond))
    assert all(row["is_gone"] and row["n"] == 1 for row in (bomb, beyond))
    assert bomb["value_bytes"] == 150 * MEGABYTE + len(b"bomb")
    # Not even the size is known of what Java's memory does not hold once.
    assert beyond["value_bytes"] is None
    assert by_topic["heavy.owners"]["n"] == ZEROS
    assert by_topic["heavy.sinks"]["n"] == 1
    assert sum(row["n"] for row in rows) == ZEROS + 5


def test_neither_python_needs_much_memory_nor_is_a_message_counted_twice(landed: Landed) -> None:
    """Whatever was read again, and in how many parts."""
    said = landed[1]
    assert said["peak_mib"] < MOST_PYTHON_MIB
    messages_of_a_run = 8
    assert said["messages"] == (MIDDLING + LARGE) * messages_of_a_run + ZEROS + 5


def test_a_header_that_is_no_text_names_no_producer(landed: Landed) -> None:
    """And ends nothing."""
    assert landed[1]["sequences"] == []
