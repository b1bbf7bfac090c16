"""A broker that is away: known from the query's error, waited for, and come back from."""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Callable

from conformare_sink.errors import BrokerUnreachableError, StreamFailedError
from conformare_sink.kafka.topics import Topics

logger = logging.getLogger("conformare_sink")

PROBE_SECONDS = 3.0
REMIND_SECONDS = 30.0

_SIGNS_OF_OUTAGE = (
    # The broker was stopped or hung: the look-up of offsets, or of a position within a batch.
    "org.apache.kafka.common.errors.TimeoutException",
    "org.apache.kafka.common.errors.DisconnectException",
    "org.apache.kafka.common.errors.NetworkException",
    # Spark's own, where a fetch brings nothing in time.
    "java.util.concurrent.TimeoutException: Cannot fetch record",
    # The name of a container that is stopped does not resolve.
    "No resolvable bootstrap urls",
)

_AROUND_A_CAUSE = re.compile(r"^[\w.]+\.(?=\w+Exception: )| SQLSTATE: \w+$")
"""The packages of a class in Java, and what Spark puts behind a message."""

# Spark 4.1.1 fails on the report of a batch that it has executed again after a crash, when the batch
# is finished and noted (SPARK-57438): KafkaMicroBatchStream has not asked for latest offsets yet.
_SIGN_OF_REPORT = "at org.apache.spark.sql.kafka010.KafkaMicroBatchStream$.metrics("


def is_outage(error: BaseException) -> bool:
    """Return whether an error comes from a broker that was not reached."""
    return _outage(error) is not None


def is_failed_report(error: BaseException) -> bool:
    """Return whether a query ended after a batch was done, on Spark's report of it."""
    return _SIGN_OF_REPORT in _story(error)


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


class Restarts:
    """Starts a query again when it ended because of a broker that was away.

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

    def landed(self) -> None:
        """Take note that a batch has landed."""
        self._failing_since = None

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
            if is_failed_report(error):
                return True
            outage = _outage(error)
            if outage is None:
                self._explain()
                raise
            if self._is_too_long():
                raise
            logger.warning("the Kafka broker was not reached: %s", outage)
            return True
        return False

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
    story = _story(error)
    for sign in _SIGNS_OF_OUTAGE:
        if sign in story:
            rest = story[story.index(sign) :].splitlines()[0]
            return _AROUND_A_CAUSE.sub("", rest).strip()
    return None


def _story(error: BaseException | None) -> str:
    """All that is known of an error: its own text and its causes', in Python and in Java."""
    parts = []
    while error is not None:
        parts += [str(error), str(getattr(error, "_stackTrace", ""))]
        error = error.__cause__ or getattr(error, "_cause", None) or error.__context__
    return "\n".join(parts)
