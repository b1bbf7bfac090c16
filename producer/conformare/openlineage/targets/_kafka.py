"""A topic of events. OpenLineage's own Kafka transport tells nobody of an event that was lost."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Message, Producer
from openlineage.client.serde import Serde

from conformare.openlineage._events import RunEvents
from conformare.openlineage.targets._target import AGAIN, TargetError
from conformare.writers import writer_options

WAIT_SECONDS = 30.0
"""How long the broker may take for one portion of runs."""

_REFUSED = (KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.INVALID_RECORD)
"""What is about one message, and not about the broker or who asks it."""


class KafkaTarget:
    """Produces events, keyed by their job: those of one job stay in order.

    Args:
        bootstrap_servers: Brokers to begin with, `host:port` separated by commas.
        topic: The topic.
        settings: Further settings of librdkafka, such as those to log in with; those of a job in
            `CONFORMARE_KAFKA` when not given.

    Raises:
        StoreConfigurationError: The brokers' names or a setting do not fit.
    """

    def __init__(
        self,
        bootstrap_servers: str,
        topic: str,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self._topic = topic
        self._trouble: KafkaError | None = None
        told = {"kafka": dict(settings)} if settings is not None else {}
        options: Any = writer_options(
            {"writer": "kafka", "bootstrap_servers": bootstrap_servers, **told}
        )
        self._producer = Producer(
            {
                **options.as_librdkafka(),
                # Brokers measure whole batches: a run that is too large is to be refused alone.
                "batch.num.messages": 1,
                "error_cb": self._keep_trouble,
            }
        )

    def send(self, runs: Sequence[RunEvents]) -> Iterator[tuple[RunEvents, str | None]]:
        """See `Target`."""
        deadline = time.monotonic() + WAIT_SECONDS
        answers: dict[int, list[KafkaError | None]] = {n: [] for n in range(len(runs))}
        for number, run in enumerate(runs):
            for event in run.events:
                self._produce(run.key, Serde.to_json(event).encode(), answers[number])
        self._producer.flush(max(deadline - time.monotonic(), 0))
        for number, run in enumerate(runs):
            faults = [fault for fault in answers[number] if fault is not None]
            refused = next((fault for fault in faults if fault.code() in _REFUSED), None)
            if refused is not None:
                yield run, f"the broker refuses it ({refused.name()})"
            elif faults:
                raise TargetError(
                    f"the broker takes no events ({faults[0].name()}): {_hint(faults[0])}"
                )
            elif len(answers[number]) == len(run.events):
                yield run, None
            else:
                why = f" ({self._trouble.name()})" if self._trouble is not None else ""
                raise TargetError(
                    f"the broker did not answer within {WAIT_SECONDS:g} s{why}: {AGAIN}"
                )

    def close(self) -> None:
        """See `Target`; what was not acknowledged is not waited for."""
        self._producer.purge()
        self._producer.flush(0)

    def _produce(self, key: str, value: bytes, answers: list[KafkaError | None]) -> None:
        def answered(fault: KafkaError | None, _message: Message) -> None:
            answers.append(fault)

        try:
            self._producer.produce(self._topic, value, key.encode(), on_delivery=answered)
        except KafkaException as exc:  # such as one that is too large
            answers.append(exc.args[0])
        except BufferError:  # it stays without an answer
            self._producer.poll(0)

    def _keep_trouble(self, fault: KafkaError) -> None:
        self._trouble = fault


_HINTS = {
    KafkaError.UNKNOWN_TOPIC_OR_PART: "make the topic, or correct --topic",
    KafkaError._UNKNOWN_TOPIC: "make the topic, or correct --topic",  # noqa: SLF001 - librdkafka's own
    KafkaError.TOPIC_AUTHORIZATION_FAILED: "let the user write to the topic",
}


def _hint(fault: KafkaError) -> str:
    return _HINTS.get(fault.code(), AGAIN)
