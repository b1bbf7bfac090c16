"""The bench's job that gives encoded emissions to confluent-kafka, with nothing around it."""

from __future__ import annotations

import itertools
import random
import time
from collections.abc import Callable
from typing import Any

from bench.emission.jobs.encoded import encoded_emissions
from bench.emission.jobs.job import await_go, say, serve
from bench.emission.jobs.runs import WARM_UP_CALLS
from confluent_kafka import KafkaError, Producer

from conformare.emission import Emission, KafkaOptions
from conformare_schemas import topic_name

EMISSIONS = 1_000
FLUSH_SECONDS = 60.0

Ready = tuple[bytes, dict[str, str | bytes | None], list[tuple[str, bytes]]]
"""Key, headers, and topic and value of each message of one emission."""


def main() -> None:
    """Run the job."""
    random.seed(5)
    serve({"produce": produce})


def produce(seconds: float, callbacks: bool, **options: Any) -> None:
    """Tell how many runs a second are acknowledged, each message with a callback or none."""
    settings = KafkaOptions(durability="memory", **options)
    emissions = [
        _ready(emission, settings.topic_prefix) for emission in encoded_emissions(EMISSIONS)
    ]
    counted = {"acknowledged": 0, "failed": 0}

    def on_delivery(error: KafkaError | None, _message: object) -> None:
        counted["acknowledged" if error is None else "failed"] += 1

    producer = Producer({**settings.as_librdkafka(), "delivery.report.only.error": not callbacks})
    callback = on_delivery if callbacks else None
    for ready in emissions[:WARM_UP_CALLS]:
        _send(producer, ready, callback)
    _flush(producer)
    counted["acknowledged"] = 0
    await_go()
    n_messages = 0
    cpu_before, start = time.process_time(), time.perf_counter()
    for number in itertools.count():
        if time.perf_counter() - start >= seconds:
            break
        n_messages += _send(producer, emissions[number % EMISSIONS], callback)
        producer.poll(0)
    _flush(producer)
    took, cpu = time.perf_counter() - start, time.process_time() - cpu_before
    if callbacks and counted != {"acknowledged": n_messages, "failed": 0}:
        raise RuntimeError(f"{n_messages} messages, of which {counted}")
    say(runs=number, seconds=took, waited=0.0, cpu=cpu)


def _ready(emission: Emission, topic_prefix: str) -> Ready:
    values = [
        (topic_name(message.grain, topic_prefix), message.value) for message in emission.messages
    ]
    return emission.messages[0].key, {**emission.headers}, values


def _send(
    producer: Producer,
    ready: Ready,
    callback: Callable[[KafkaError | None, object], None] | None,
) -> int:
    key, headers, values = ready
    for topic, value in values:
        while True:
            try:
                producer.produce(topic, key=key, value=value, headers=headers, on_delivery=callback)
                break
            except BufferError:
                producer.poll(0.01)
    return len(values)


def _flush(producer: Producer) -> None:
    left = producer.flush(FLUSH_SECONDS)
    if left:
        raise RuntimeError(f"{left} messages were not acknowledged")


if __name__ == "__main__":
    main()
