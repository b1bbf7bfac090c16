"""A broker that is away: known from the query's error, waited for, and come back from."""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Callable

from conformare_sink.errors import BrokerUnreachableError, StreamFailedError
from conformare_sink.kafka.topics import Topics
from conformare_sink.spark.faults import Fault, fault_of, words_of

logger = logging.getLogger("conformare_sink")

PROBE_SECONDS = 3.0
REMIND_SECONDS = 30.0

_AROUND_A_CAUSE = re.compile(r"^[\w.]+\.(?=\w+Exception: )| SQLSTATE: \w+$")
"""The packages of a class in Java, and what Spark puts behind a message."""


def is_outage(error: BaseException) -> bool:
    """Return whether an error comes from a broker that was not reached."""
    return _outage(error) is not None


def await_broker(topics: Topics, patience_seconds: float | None, stopping: threading.Event) -> bool:
    """Wait until a broker answers, and say so at first and then every 30 seconds.

    Args:
        topics: The topics on the broker's cluster.
        patience_seconds: How long to wait; None for as long as it takes.
        stopping: Ends the waiting.

    Returns:
        Whether a broker answers; False where `stopping` came first.

    Raises:
        BrokerUnreachableError: None answered in time.
    """
    began = time.monotonic()
    reminded: float | None = None
    while not stopping.is_set():
        waited = time.monotonic() - began
        left = PROBE_SECONDS if patience_seconds is None else patience_seconds - waited
        if left <= 0:
            raise BrokerUnreachableError(topics.bootstrap_servers, patience_seconds or waited)
        try:
            topics.partitions(min(left, PROBE_SECONDS))
        except BrokerUnreachableError:
            now = time.monotonic()
            if reminded is None or now - reminded >= REMIND_SECONDS:
                logger.warning(
                    "no Kafka broker answers at %s for %.0f s: waiting for it",
                    topics.bootstrap_servers,
                    now - began,
                )
                reminded = now
        else:
            if reminded is not None:
                logger.warning(
                    "a Kafka broker answers at %s, after %.0f s", topics.bootstrap_servers, waited
                )
            return True
    return False


MOST_WITHOUT_MEMORY = 3
"""How often in a row a query begins again for want of memory, with nothing landed in between."""


class Restarts:
    """Starts a query again when it ended because of a broker that was away, or for want of memory.

    Args:
        await_broker: Waits for the broker; returns whether it is there, and the query to go on.
        patience_seconds: How long a broker may be away, or fail with nothing landed in between;
            None for ever.
        explain: Called when the query failed for another reason, to raise an error that says more.
    """

    def __init__(
        self,
        await_broker: Callable[[], bool],
        patience_seconds: float | None,
        explain: Callable[[], None],
    ) -> None:
        self._await_broker = await_broker
        self._patience = patience_seconds
        self._explain = explain
        self._failing_since: float | None = None
        self._without_memory = 0

    def landed(self) -> None:
        """Take note that a batch has landed."""
        self._failing_since = None
        self._without_memory = 0

    def keep_up(self, run: Callable[[], None]) -> None:
        """Run a query to its end, over and over while a broker's absence is what ends it.

        Args:
            run: Begins the query, or goes on with it, and returns when it is done or stopped.

        Raises:
            SinkError: What the query ended with, where it would end so again.
        """
        while self._broke_off(run) and self._await_broker():
            pass

    def _broke_off(self, run: Callable[[], None]) -> bool:
        """Run a query, and return whether it can be expected to run when the broker is there."""
        try:
            run()
        except (StreamFailedError, BrokerUnreachableError) as error:
            outage = _outage(error)
            if outage is None:
                if self._lacked_memory(error):
                    return True
                self._explain()
                raise
            if self._is_too_long():
                raise
            logger.warning("the Kafka broker was not reached: %s", outage)
            return True
        return False

    def _lacked_memory(self, error: BaseException) -> bool:
        """Return whether Java's memory was not enough, in a thread of the query's own.

        What filled it is a batch, which lands in parts; so another attempt may well find room.
        """
        self._without_memory += 1
        if fault_of(error) is not Fault.MEMORY or self._without_memory > MOST_WITHOUT_MEMORY:
            return False
        logger.warning("%s: the query begins again", Fault.MEMORY.value)
        return True

    def _is_too_long(self) -> bool:
        now = time.monotonic()
        if self._failing_since is None:
            self._failing_since = now
        return self._patience is not None and now - self._failing_since > self._patience


def _outage(error: BaseException) -> str | None:
    """Return in which words an error says that a broker was not reached, if it does.

    An exception of Java's that has been through a batch's function is an account of many lines.
    """
    if isinstance(error, BrokerUnreachableError):
        return str(error)
    words = words_of(error, Fault.KAFKA_AWAY)
    return None if words is None else _AROUND_A_CAUSE.sub("", words).strip()
