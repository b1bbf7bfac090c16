"""Sends a workload to the topics over time, through outages of the broker."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from confluent_kafka import KafkaError, Message, Producer

from conformare_schemas import topic_name
from faults.flow.unusable import Outgoing
from faults.flow.workload import Workload

UNUSABLE_HEADER = "faults.unusable"
"""Marks on the topic what cannot be used, for who compares; a sink has no reason to look at it."""

BURST_RUNS = 6
"""As many runs are sent at once at most, then there is a pause: batches differ in size."""

_FLUSH_SECONDS = 120.0


class Pump:
    """Sends as many runs as it is allowed to, at a bounded pace, in a thread of its own.

    Args:
        workload: What is sent.
        bootstrap_servers: To which broker.
        topic_prefix: Put in front of every grain's topic.
        runs_per_second: How fast, as long as not everything is to be sent at once.
        seed: What the pauses are drawn from.

    Attributes:
        sent: Messages so far.
        unusable: How many of them cannot be used.
    """

    def __init__(
        self,
        workload: Workload,
        bootstrap_servers: str,
        topic_prefix: str,
        runs_per_second: float,
        seed: int,
    ) -> None:
        self.sent = 0
        self.unusable = 0
        self._workload = workload
        self._topic_prefix = topic_prefix
        self._runs_per_second = runs_per_second
        self._chance = random.Random(seed)  # noqa: S311 - not for secrets
        self._producer = Producer(
            {
                "bootstrap.servers": bootstrap_servers,
                "enable.idempotence": True,
                "linger.ms": 5,
                "log_level": 0,
                "error_cb": lambda _error: None,  # that the broker is away is the point
            }
        )
        self._failure: BaseException | KafkaError | None = None
        self._allowed = 0
        self._held = False
        self._hurry = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="pump", daemon=True)

    def start(self) -> None:
        """Begin to send what is allowed."""
        self._thread.start()

    def allow(self, runs: int) -> None:
        """Allow so many runs from the beginning on."""
        with self._changed:
            self._allowed = max(self._allowed, runs)
            self._changed.notify_all()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Send nothing while the block runs."""
        self._set_held(held=True)
        try:
            yield
        finally:
            self._set_held(held=False)

    def finish(self) -> None:
        """Send the rest at once and return when the broker has acknowledged all of it.

        Raises:
            RuntimeError: It did not, or a message was refused.
        """
        with self._changed:
            self._hurry = True
            self._changed.notify_all()
        self._thread.join()
        left = self._producer.flush(_FLUSH_SECONDS)
        if left or self._failure is not None:
            raise RuntimeError(f"{left} messages were not acknowledged: {self._failure!r}")

    def _set_held(self, *, held: bool) -> None:
        with self._changed:
            self._held = held
            self._changed.notify_all()

    def _run(self) -> None:
        burst_ends = 0
        try:
            for message in self._workload.messages():
                if self._workload.begun > burst_ends:
                    burst_ends = self._await_burst(burst_ends)
                self._send(message)
        except Exception as exc:  # noqa: BLE001 - `finish` raises it
            self._failure = exc

    def _await_burst(self, sent_runs: int) -> int:
        """Wait until more may be sent; return up to which run."""
        size = self._chance.randint(1, BURST_RUNS)
        pause = size / self._runs_per_second * self._chance.uniform(0.5, 1.5)
        with self._changed:
            self._producer.flush(0)
            self._changed.wait_for(lambda: self._hurry, pause)
            self._changed.wait_for(
                lambda: self._hurry or (not self._held and self._allowed > sent_runs)
            )
            return sent_runs + size

    def _send(self, message: Outgoing) -> None:
        self._producer.produce(
            topic_name(message.grain, self._topic_prefix),
            key=message.key,
            value=message.value,
            headers=None if message.usable else {UNUSABLE_HEADER: b""},
            on_delivery=self._acknowledged,
        )
        self._producer.poll(0)
        self.sent += 1
        self.unusable += not message.usable

    def _acknowledged(self, error: KafkaError | None, _: Message) -> None:
        if error is not None:
            self._failure = error
