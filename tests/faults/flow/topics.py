"""The topics, read to their ends: what is really there, whatever a producer says it has sent."""

from __future__ import annotations

from confluent_kafka import Consumer, Message, TopicPartition
from support.lakes.checker import KeyAndValue, Place

from conformare_schemas import GRAINS, topic_name
from faults.flow.pump import UNUSABLE_HEADER

_SECONDS = 60.0
_AT_ONCE = 10_000


def unusable_messages(bootstrap_servers: str, topic_prefix: str) -> dict[Place, KeyAndValue]:
    """Return every message of the grain topics that is marked as unusable, by its place.

    Raises:
        RuntimeError: The broker did not answer in time.
    """
    consumer = Consumer(
        {"bootstrap.servers": bootstrap_servers, "group.id": "none", "log_level": 0}
    )
    try:
        return _unusable(consumer, [topic_name(grain, topic_prefix) for grain in GRAINS])
    finally:
        consumer.close()


def _unusable(consumer: Consumer, topics: list[str]) -> dict[Place, KeyAndValue]:
    partitions = [
        TopicPartition(topic, number, 0)
        for topic in topics
        for number in consumer.list_topics(topic, _SECONDS).topics[topic].partitions
    ]
    left = sum(consumer.get_watermark_offsets(one, _SECONDS)[1] for one in partitions)
    consumer.assign(partitions)
    found: dict[Place, KeyAndValue] = {}
    while left:
        messages = consumer.consume(min(left, _AT_ONCE), _SECONDS)
        if not messages or any(message.error() for message in messages):
            raise RuntimeError(f"{left} messages of the topics could not be read")
        left -= len(messages)
        found |= {
            _place(message): (message.key(), message.value())
            for message in messages
            if UNUSABLE_HEADER in dict(message.headers() or ())
        }
    return found


def _place(message: Message) -> Place:
    topic, partition, offset = message.topic(), message.partition(), message.offset()
    # What was consumed has them all.
    assert topic is not None
    assert partition is not None
    assert offset is not None
    return topic, partition, offset
