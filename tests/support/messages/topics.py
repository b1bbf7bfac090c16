"""What is in the topics, as any consumer sees it."""

from __future__ import annotations

from confluent_kafka import Consumer, TopicPartition

from conformare_schemas import topic_names

_SECONDS = 30


def values(bootstrap_servers: str, topic_prefix: str) -> list[bytes]:
    """Return the values of all messages of the grains' topics."""
    consumer = Consumer({"bootstrap.servers": bootstrap_servers, "group.id": "none"})
    found: list[bytes] = []
    try:
        for topic in topic_names(topic_prefix).values():
            numbers = consumer.list_topics(topic, _SECONDS).topics[topic].partitions
            places = [TopicPartition(topic, number, 0) for number in numbers]
            ends = [consumer.get_watermark_offsets(place, _SECONDS)[1] for place in places]
            consumer.assign(places)
            left = sum(ends)
            while left:
                messages = consumer.consume(left, _SECONDS)
                assert messages, f"{left} messages of {topic} did not come"
                for message in messages:
                    assert message.error() is None
                    found.append(message.value() or b"")
                left -= len(messages)
    finally:
        consumer.close()
    return found


def first_bytes(bootstrap_servers: str, topic_prefix: str) -> list[bytes]:
    """Return the first byte of every value: which framing it has."""
    return [value[:1] for value in values(bootstrap_servers, topic_prefix)]
