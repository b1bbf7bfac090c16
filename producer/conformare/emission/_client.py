"""librdkafka, one emission at a time: all of its messages are acknowledged, or it has failed."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Producer
from confluent_kafka import Message as Sent

from conformare.emission._emission import Emission, Message
from conformare.emission._parcel import Parcel
from conformare_schemas import topic_name

logger = logging.getLogger("conformare")

REFUSED_FOR_SIZE = (KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.RECORD_LIST_TOO_LARGE)

TAKEN_BACK = (KafkaError._PURGE_QUEUE, KafkaError._PURGE_INFLIGHT)  # noqa: SLF001 - public names

PURGE_SECONDS = 1.0
SHORTEST_SECRET = 4
"""Shorter values, such as numbers and "all", stay readable in what librdkafka says."""


class Attempt:
    """One sending of a parcel.

    Attributes:
        parcel: What is sent.
        emission: Its content.
        produced: How many of its messages librdkafka has taken.
        error: The first error among the answers; None if there was none until now.
    """

    def __init__(self, parcel: Parcel, emission: Emission) -> None:
        self.parcel = parcel
        self.emission = emission
        self.produced = 0
        self.error: KafkaError | None = None
        self.topic: str | None = None
        """The topic of the message that had it."""

    @property
    def is_produced(self) -> bool:
        """Whether librdkafka has taken all messages."""
        return self.produced == len(self.emission.messages)


class Client:
    """A producer of one process, used by one thread, batch by batch.

    Only errors are reported message by message. That all others were acknowledged follows from
    librdkafka having nothing left: one hand-over of Python's lock for each batch, not for each
    message, where a busy job would let every one of them wait for its turn.

    Args:
        settings: librdkafka's options.
        topic_prefix: Put in front of every grain's topic.
        troubled: Called, from `drain`, with what keeps a broker from being reached.
        framed: Returns the value of a message as it is sent.
    """

    def __init__(
        self,
        settings: Mapping[str, Any],
        topic_prefix: str,
        troubled: Callable[[KafkaError], None],
        framed: Callable[[Message], bytes],
    ) -> None:
        self._prefix = topic_prefix
        self._framed = framed
        self._troubled = troubled
        self._batch: list[Attempt] = []
        self.is_broken = False
        ours = {"delivery.report.only.error": True, "error_cb": self._on_error}
        self.producer = Producer({**settings, **ours}, logger=logger)

    @property
    def is_idle(self) -> bool:
        """Whether nothing is under way."""
        return not self._batch

    def send(self, attempt: Attempt) -> bool:
        """Add an emission to the batch.

        Returns:
            Whether librdkafka has taken all of it; if not, its queue is full, and `drain` hands
            over the rest.
        """
        self._batch.append(attempt)
        return self._produce(attempt)

    def drain(self, seconds: float) -> list[Attempt]:
        """Wait until librdkafka has nothing left.

        Args:
            seconds: How long at most.

        Returns:
            The attempts that are over: without an error, every message was acknowledged. Empty
            as long as something is under way.
        """
        last = self._batch[-1]
        self._produce(last)
        if self.producer.flush(seconds) > 0:
            return []
        if not last.is_produced and not self._produces_more(last):
            # Not even the empty queue takes it.
            last.error = last.error or KafkaError(KafkaError.MSG_SIZE_TOO_LARGE)
            last.produced = len(last.emission.messages)
        if len(self.producer) > 0:
            return []
        over = [attempt for attempt in self._batch if attempt.is_produced]
        self._batch = [attempt for attempt in self._batch if not attempt.is_produced]
        return over

    def give_up(self) -> list[Attempt]:
        """Take back what is under way.

        Returns:
            All attempts: those without an error were acknowledged after all, and every other may
            have been.
        """
        self.producer.purge()
        answered = self.producer.flush(PURGE_SECONDS) == 0
        batch, self._batch = self._batch, []
        for attempt in batch:
            if not (answered and attempt.is_produced) and attempt.error is None:
                attempt.error = KafkaError(KafkaError._PURGE_QUEUE)  # noqa: SLF001 - its public name
        return batch

    def _produce(self, attempt: Attempt) -> bool:
        messages = attempt.emission.messages
        headers: dict[str, str | bytes | None] = dict(attempt.emission.headers)

        def on_error(error: KafkaError | None, sent: Sent | None) -> None:
            if attempt.error is None:
                attempt.error = error
                attempt.topic = None if sent is None else sent.topic()

        while not attempt.is_produced:
            message = messages[attempt.produced]
            try:
                self.producer.produce(
                    topic_name(message.grain, self._prefix),
                    key=message.key,
                    value=self._framed(message),
                    headers=headers,
                    on_delivery=on_error,
                )
            except BufferError:
                return False
            except KafkaException as exc:
                # Refused by librdkafka itself, such as for its size: an answer as well.
                on_error(exc.args[0], None)
            except ValueError:
                # A file of the spool may name what cannot be a topic.
                on_error(KafkaError(KafkaError._INVALID_ARG), None)  # noqa: SLF001 - public
            attempt.produced += 1
        return True

    def _produces_more(self, attempt: Attempt) -> bool:
        before = attempt.produced
        self._produce(attempt)
        return attempt.produced > before

    def _on_error(self, error: KafkaError) -> None:
        if error.fatal():
            self.is_broken = True
        self._troubled(error)


def refusal(options: Mapping[str, Any]) -> str | None:
    """Return why librdkafka does not take some options, None if it does; no value is quoted.

    Args:
        options: All of them but the brokers: nothing is connected to.
    """
    try:
        made = [Producer({**options, "log_level": 0}, logger=logger)]
    except (KafkaException, TypeError, ValueError) as exc:
        error = exc.args[0] if exc.args else None
        text = error.str() if isinstance(error, KafkaError) else type(exc).__name__
        for value in sorted(map(str, options.values()), key=len, reverse=True):
            quoted = value if len(value) >= SHORTEST_SECRET else f'"{value}"'
            text = text.replace(quoted, "…")
        return text
    # It ends when what it has begun is over: a service that gives tokens may be silent for long.
    with suppress(RuntimeError):  # there are no more threads: then here
        threading.Thread(target=made.clear, name="conformare-end-of-check", daemon=True).start()
    return None
