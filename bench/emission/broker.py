"""The broker that the bench sends to, what happens to it, and what is in its topics."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from conformare_sink.broker.broker import EmbeddedBroker
from conformare_sink.broker.ports import HOST, free_port
from conformare_sink.errors import BrokerNotRunningError
from conformare_sink.kafka.topics import Topics

START_SECONDS = 60.0
READ_SECONDS = 30.0


class Broker:
    """An embedded broker on a free port; made by `running_broker`."""

    def __init__(self, folder: Path) -> None:
        self._embedded = EmbeddedBroker(folder, free_port())
        self.servers = self._embedded.bootstrap_servers

    def start(self) -> None:
        """Start it, with what it had."""
        self._embedded.start(START_SECONDS)

    def stop(self) -> None:
        """Stop it, and make sure that nothing listens any more."""
        self._embedded.stop()
        with socket.socket() as probe:
            if probe.connect_ex((HOST, self._embedded.port)) == 0:
                raise RuntimeError(f"something listens on {self.servers}")

    def end(self) -> None:
        """Stop it if it runs."""
        with suppress(BrokerNotRunningError):
            self._embedded.stop()

    @property
    def pid(self) -> int:
        """Its process."""
        pid = self._embedded.status().pid
        if pid is None:
            raise RuntimeError("the broker is not running")
        return pid

    @contextmanager
    def up(self) -> Iterator[None]:
        """Let it be, and make sure that it answers."""
        if not self._embedded.status().answering:
            raise RuntimeError(f"the broker at {self.servers} does not answer")
        yield

    @contextmanager
    def down(self) -> Iterator[None]:
        """Stop it for the time of a block."""
        self.stop()
        yield
        self.start()

    @contextmanager
    def hung(self) -> Iterator[None]:
        """Suspend it for the time of a block: its connections stay, and nothing is answered."""
        pid = self.pid
        os.kill(pid, signal.SIGSTOP)
        try:
            with socket.create_connection((HOST, self._embedded.port), timeout=1):
                pass  # the kernel takes connections for it as long as it lives
            if self._embedded.status().answering:
                raise RuntimeError("the broker answers though it is suspended")
            yield
        finally:
            os.kill(pid, signal.SIGCONT)
        deadline = time.monotonic() + START_SECONDS
        while not self._embedded.status().answering:
            if time.monotonic() > deadline:
                raise RuntimeError("the broker does not answer after its suspension")

    @property
    def situations(self) -> dict[str, Callable[[], AbstractContextManager[None]]]:
        """What happens to it, by name."""
        return {"up": self.up, "down": self.down, "hung": self.hung}

    def create_topics(self, prefix: str) -> None:
        """Create the topics of a store."""
        Topics(self.servers, prefix).create()

    def create_topic(self, name: str) -> None:
        """Create one topic."""
        admin = AdminClient({"bootstrap.servers": self.servers, "log_level": 0})
        for created in admin.create_topics([NewTopic(name, 2, 1)]).values():
            created.result()

    def n_messages(self, prefix: str) -> int:
        """Return how many messages have come to the topics of a store."""
        return sum(Topics(self.servers, prefix).ends().values())

    def messages(self, topic: str) -> list[tuple[str, bytes]]:
        """Return key and value of every message of a topic."""
        consumer = Consumer(
            {
                "bootstrap.servers": self.servers,
                "group.id": "bench",
                "enable.auto.commit": False,
                "log_level": 0,
            }
        )
        try:
            return _read(consumer, topic)
        finally:
            consumer.close()


@contextmanager
def running_broker(folder: Path) -> Iterator[Broker]:
    """Run a broker for the time of a block.

    Args:
        folder: Where its data are.
    """
    broker = Broker(folder)
    broker.start()
    try:
        yield broker
    finally:
        broker.end()


def _read(consumer: Consumer, topic: str) -> list[tuple[str, bytes]]:
    partitions = consumer.list_topics(topic, READ_SECONDS).topics[topic].partitions
    places = [TopicPartition(topic, number, OFFSET_BEGINNING) for number in partitions]
    missing = sum(consumer.get_watermark_offsets(place, READ_SECONDS)[1] for place in places)
    consumer.assign(places)
    found: list[tuple[str, bytes]] = []
    deadline = time.monotonic() + READ_SECONDS
    while len(found) < missing:
        if time.monotonic() > deadline:
            raise RuntimeError(f"{topic} has {missing} messages, and {len(found)} can be read")
        for message in consumer.consume(1_000, timeout=1):
            error = message.error()
            if error is not None:
                raise RuntimeError(f"{topic} cannot be read: {error}")
            found.append(((message.key() or b"").decode(), message.value() or b""))
    return found
