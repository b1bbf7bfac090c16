"""A lake that holds many runs, and a sink that lands small batches in it."""

from __future__ import annotations

import uuid
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.known.many import filled, opening_seconds
from bench.landing.process import arguments, found
from confluent_kafka import Producer
from support.messages.typical import typical_store

from conformare import to_run_record
from conformare._identity import new_emission_id
from conformare.emission import Message, encode_emission
from conformare_schemas import RUN_GRAINS, topic_name
from conformare_sink.landing.report import BatchReport
from conformare_sink.options import SinkOptions
from conformare_sink.spark.session import build_session
from conformare_sink.stream.stream import SinkStream

RUNS_OF_A_BATCH = 50
BATCHES, WARM_UP = 100, 40
MAX_MESSAGE_BYTES = 1_000_000

given = arguments()
spark = build_session("bench", master="local[2]", driver_memory="2g")
tables = filled(given["lake"], given["runs"], in_order=given["in_order"])
opening = opening_seconds(tables, given["runs"])

record = to_run_record(typical_store(), "bench")
producer = Producer({"bootstrap.servers": given["servers"]})


def send(messages: tuple[Message, ...]) -> None:
    """Send the messages of an emission."""
    for message in messages:
        producer.produce(
            topic_name(message.grain, given["prefix"]), key=message.key, value=message.value
        )
    producer.poll(0)


for _ in range(BATCHES * RUNS_OF_A_BATCH):
    run_id = new_emission_id() if given["in_order"] else uuid.uuid4().hex
    for rows in record.values():
        for row in rows:
            row["run_id"] = run_id
    send(encode_emission(record, new_emission_id(), max_message_bytes=MAX_MESSAGE_BYTES))
if producer.flush(60):
    raise RuntimeError("the broker did not take all messages")

reports: list[BatchReport] = []
kept = TemporaryDirectory()
options = SinkOptions(
    bootstrap_servers=given["servers"],
    lake=given["lake"],
    checkpoint=Path(kept.name),
    topic_prefix=given["prefix"],
    max_messages_per_batch=RUNS_OF_A_BATCH * len(RUN_GRAINS),
)
SinkStream(spark, options, reports.append).run_once()
if sum(report.rows.get("runs", 0) for report in reports) != BATCHES * RUNS_OF_A_BATCH:
    raise RuntimeError("not all has landed")
found(batches=[report.seconds for report in reports[WARM_UP:]], opening=opening)
