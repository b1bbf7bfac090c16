"""What can happen to topics, each done for real."""

from __future__ import annotations

import time
from collections.abc import Callable

from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewPartitions

from conformare_sink.kafka.topics import Topics

SECONDS = 60
POLL_SECONDS = 0.05


class TopicFaults:
    """Harms the topics of a store, and returns when the brokers agree.

    Args:
        topics: The topics.
    """

    def __init__(self, topics: Topics) -> None:
        self._topics = topics
        self._admin = AdminClient({"bootstrap.servers": topics.bootstrap_servers})

    def delete(self, topic: str) -> None:
        """Delete a topic."""
        self._admin.delete_topics([topic])[topic].result(SECONDS)
        self._await(lambda: topic not in self._topics.partitions())

    def recreate(self, topic: str) -> None:
        """Delete a topic and create one of that name."""
        self.delete(topic)
        assert topic in self._topics.create()

    def expire(self, topic: str, partition: int, until: int) -> None:
        """Let the messages before an offset be gone, as retention does."""
        place = TopicPartition(topic, partition, until)
        for done in self._admin.delete_records([place]).values():
            done.result(SECONDS)

    def add_partitions(self, topic: str, total: int) -> None:
        """Give a topic more partitions."""
        self._admin.create_partitions([NewPartitions(topic, total)])[topic].result(SECONDS)
        self._await(lambda: self._topics.partitions()[topic] == total)

    def _await(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + SECONDS
        while not condition():
            assert time.monotonic() < deadline
            time.sleep(POLL_SECONDS)
