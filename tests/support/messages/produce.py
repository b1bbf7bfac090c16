"""Messages onto the topics without the product's writer: any order, any repetition, any bytes."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timezone

from confluent_kafka import Producer

from conformare._identity import new_emission_id
from conformare.emission import Emission, Message, encode_emission
from conformare_schemas import topic_name
from support.messages.records import Record


def messages_of(
    record: Record, emission_id: str, *, max_message_bytes: int = 1_000_000
) -> list[Message]:
    """Return the messages of one emission of a record."""
    return list(encode_emission(record, emission_id, max_message_bytes=max_message_bytes))


def emission_of(record: Record, emission_id: str | None = None) -> Emission:
    """Return an emission of a record, as a process with one emission would make it."""
    run = record["runs"][0]
    identity = emission_id or new_emission_id()
    return Emission(
        pipeline=run["pipeline"],
        run_id=run["run_id"],
        emission_id=identity,
        recorded_at=datetime.now(timezone.utc),
        headers={"conformare.sequence": b"1"},
        messages=tuple(messages_of(record, identity)),
    )


class Topic:
    """Sends to the topics of one prefix."""

    def __init__(self, bootstrap_servers: str, topic_prefix: str) -> None:
        self._prefix = topic_prefix
        config = {"bootstrap.servers": bootstrap_servers, "linger.ms": 0, "log_level": 0}
        self._producer = Producer(config)

    def send_later(self, messages: Iterable[Message]) -> None:
        """Send messages in this order; `send` waits for them, too."""
        for message in messages:
            self._producer.produce(
                topic_name(message.grain, self._prefix), key=message.key, value=message.value
            )
            self._producer.poll(0)

    def send(self, messages: Iterable[Message]) -> None:
        """Send messages in this order and wait until all are there."""
        self.send_later(messages)
        undelivered = self._producer.flush(60)
        assert undelivered == 0
