"""Typical runs of 36 rows, onto the topics of a store as fast as they go."""

from __future__ import annotations

from bench.emission.broker import Broker
from confluent_kafka import Producer
from support.messages.typical import typical_store

from conformare import to_run_record
from conformare._identity import new_emission_id
from conformare.emission import encode_emission
from conformare.emission._headers import emission_headers
from conformare_schemas import topic_name

PIPELINES = 50
MAX_MESSAGE_BYTES = 1_000_000
FLUSH_SECONDS = 120.0


def load(broker: Broker, prefix: str, runs: int) -> None:
    """Send so many runs to the topics of a store, which are made.

    Args:
        broker: Where to.
        prefix: The store's topic prefix.
        runs: How many.
    """
    broker.create_topics(prefix)
    record = to_run_record(typical_store(), "bench")
    producer = Producer({"bootstrap.servers": broker.servers, "linger.ms": 20})
    jobs = [new_emission_id() for _ in range(PIPELINES)]
    for number in range(runs):
        headers: dict[str, str | bytes | None] = {
            **emission_headers(jobs[number % PIPELINES], number // PIPELINES + 1)
        }
        key = {"run_id": new_emission_id(), "pipeline": f"pipeline {number % PIPELINES}"}
        for rows in record.values():
            for row in rows:
                row.update(key)
        for message in encode_emission(
            record, new_emission_id(), max_message_bytes=MAX_MESSAGE_BYTES
        ):
            topic = topic_name(message.grain, prefix)
            while True:
                try:
                    producer.produce(topic, key=message.key, value=message.value, headers=headers)
                    break
                except BufferError:
                    producer.poll(1)
        producer.poll(0)
    if producer.flush(FLUSH_SECONDS):
        raise RuntimeError("the broker did not take all messages")
