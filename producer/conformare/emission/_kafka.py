"""The Kafka writer: hands a run to librdkafka and goes on; never raises, never waits."""

from __future__ import annotations

import atexit
import logging
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Producer

from conformare._errors import DeliveryError, RunEncodingError
from conformare._identity import new_emission_id
from conformare._options import RunRecord
from conformare.emission._encode import encode_emission
from conformare.emission._losses import LossLedger
from conformare.emission._settings import KafkaOptions
from conformare_schemas import topic_name

logger = logging.getLogger("conformare")

STRICT_TIMEOUT_SECONDS = 10.0
POLL_SECONDS = 0.1


@dataclass
class _InFlight:
    """One emission on its way: how many of its messages are not acknowledged yet."""

    unacknowledged: int
    error: KafkaError | None = None

    @property
    def waiting(self) -> bool:
        return self.unacknowledged > 0 and self.error is None


class KafkaWriter:
    """Emits each record as one emission onto the grains' topics.

    Args:
        options: Where and how to emit.
    """

    def __init__(self, options: KafkaOptions) -> None:
        self._options = options
        self._losses = LossLedger()
        self._abandoned: list[Producer] = []
        self._producer: Producer | None = None
        self._begin_process()
        atexit.register(self._deliver_at_exit)

    def write(self, record: RunRecord) -> None:
        """Emit a record, without waiting for the broker.

        Raises:
            DeliveryError: Only with `strict=True`: not acknowledged within 10 seconds.
            RunEncodingError: Only with `strict=True`: the contract cannot carry the record.
        """
        try:
            emission = self._emit(record)
        except Exception as exc:
            # The one place where a fault of the emission meets the job: it is counted, not raised.
            if self._options.strict:
                raise
            self._losses.count(*self._cause(exc))
            return
        if self._options.strict:
            self._poll_until(lambda: not emission.waiting, STRICT_TIMEOUT_SECONDS)
            if emission.error or emission.waiting:
                run_id = record["runs"][0]["run_id"]
                cause = emission.error.name() if emission.error else "no answer"
                raise DeliveryError(
                    f"run {run_id!r} was not acknowledged by {self._options.bootstrap_servers} "
                    f"within {STRICT_TIMEOUT_SECONDS:g} s: {cause}"
                )

    def has_run(self, pipeline: str, run_id: str) -> bool:  # noqa: ARG002 (the writers' protocol)
        """Return False: the topics are not read; the sink keeps the first emission of a run."""
        return False

    def flush(self, timeout_seconds: float) -> int:
        """Wait for acknowledgements.

        Args:
            timeout_seconds: How long at most, in seconds.

        Returns:
            How many runs are still undelivered.
        """
        self._poll_until(lambda: self._undelivered() == 0, timeout_seconds)
        return self._undelivered()

    def lost(self) -> dict[str, int]:
        """Return how many runs were lost, by reason."""
        return self._losses.by_reason()

    def _begin_process(self) -> None:
        # librdkafka's threads do not survive a fork: a child starts with a client of its own.
        # The inherited one is kept, unused: destroying it would wait for threads that are gone.
        if self._producer is not None:
            self._abandoned.append(self._producer)
        self._producer = None
        self._lock = threading.Lock()
        self._in_flight: dict[str, _InFlight] = {}
        self._pid = os.getpid()

    def _client(self) -> Producer:
        if self._pid != os.getpid():
            self._begin_process()
        with self._lock:
            if self._producer is None:
                self._producer = Producer(self._options.as_librdkafka(), logger=logger)
            return self._producer

    def _emit(self, record: RunRecord) -> _InFlight:
        emission_id = new_emission_id()
        messages = encode_emission(
            record, emission_id, max_message_bytes=self._options.max_message_bytes
        )
        client = self._client()
        client.poll(0)
        emission = _InFlight(len(messages))
        on_delivery = self._acknowledgement(emission_id, emission)
        with self._lock:
            self._in_flight[emission_id] = emission
        try:
            for message in messages:
                topic = topic_name(message.grain, self._options.topic_prefix)
                client.produce(topic, key=message.key, value=message.value, on_delivery=on_delivery)
        except BaseException:
            # `runs` goes last: without it the emission never lands, so it is lost as a whole.
            with self._lock:
                self._in_flight.pop(emission_id, None)
            raise
        client.poll(0)
        return emission

    def _acknowledgement(
        self, emission_id: str, emission: _InFlight
    ) -> Callable[[KafkaError | None, Any], None]:
        def on_delivery(error: KafkaError | None, message: Any) -> None:
            with self._lock:
                emission.unacknowledged -= 1
                first_error = error is not None and emission.error is None
                emission.error = emission.error or error
                if not emission.waiting:
                    self._in_flight.pop(emission_id, None)
            if first_error and error is not None:
                self._losses.count(
                    "not acknowledged",
                    f"{error.name()} from {self._options.bootstrap_servers} "
                    f"for the topic {message.topic()}",
                )

        return on_delivery

    def _poll_until(self, done: Callable[[], bool], timeout_seconds: float) -> None:
        deadline = time.monotonic() + timeout_seconds
        while not done() and (left := deadline - time.monotonic()) > 0:
            self._client().poll(min(POLL_SECONDS, left))

    def _undelivered(self) -> int:
        if self._pid != os.getpid():
            return 0
        with self._lock:
            return len(self._in_flight)

    def _cause(self, exc: Exception) -> tuple[str, str]:
        """Name a loss: its reason and what an operator needs; no value of the record."""
        if isinstance(exc, RunEncodingError):
            return "not encodable", str(exc)
        if isinstance(exc, BufferError):
            return "queue full", f"waiting for {self._options.bootstrap_servers}"
        if isinstance(exc, KafkaException):
            return "client refused", str(exc.args[0].name())
        return "internal fault", type(exc).__name__

    def _deliver_at_exit(self) -> None:
        undelivered = self.flush(self._options.exit_timeout_seconds)
        if undelivered:
            logger.warning(
                "conformare: %d run(s) were not delivered to %s before the job ended",
                undelivered,
                self._options.bootstrap_servers,
            )
