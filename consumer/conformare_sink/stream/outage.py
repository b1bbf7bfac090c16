"""A broker that is away: known from the query's error, waited for, and come back from."""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Callable

from conformare_sink.errors import BrokerRefusedError, BrokerUnreachableError, StreamFailedError
from conformare_sink.kafka.rotation import Rotation
from conformare_sink.kafka.topics import Topics
from conformare_sink.spark.faults import Fault, fault_of, words_of
from conformare_sink.stream.refusal import Admission

logger = logging.getLogger("conformare_sink")

PROBE_SECONDS = 3.0
REMIND_SECONDS = 30.0

_AROUND_A_CAUSE = re.compile(r"^[\w.]+\.(?=\w+Exception: )| SQLSTATE: \w+$")
"""The packages of a class in Java, and what Spark puts behind a message."""


def await_broker(
    topics: Topics,
    patience_seconds: float | None,
    stopping: threading.Event,
    rotation: Rotation | None = None,
) -> bool:
    """Wait until a broker answers, and say so at first and then every 30 seconds.

    Args:
        topics: The topics on the broker's cluster.
        patience_seconds: How long to wait; None for as long as it takes.
        stopping: Ends the waiting.
        rotation: Looks whether settings have changed, of a sink that was let in before; None for
            one that begins, and is told at once that a broker does not let it in.

    Returns:
        Whether a broker answers; False where `stopping` came first.

    Raises:
        BrokerUnreachableError: None answered in time.
        BrokerRefusedError: One does not let the sink in.
    """
    began = time.monotonic()
    reminder = _Reminder()
    refused: BrokerRefusedError | None = None
    while not stopping.is_set():
        waited = time.monotonic() - began
        left = PROBE_SECONDS if patience_seconds is None else patience_seconds - waited
        if left <= 0:
            servers = topics.bootstrap_servers
            raise refused or BrokerUnreachableError(servers, patience_seconds or waited)
        try:
            topics.partitions(min(left, PROBE_SECONDS))
        except BrokerUnreachableError:
            seconds, refused = time.monotonic() - began, None
            reminder.tell(
                f"no Kafka broker answers at {topics.bootstrap_servers} for {seconds:.0f} s: "
                "waiting for it"
            )
        except BrokerRefusedError as exc:
            if rotation is None or rotation.file is None or not exc.at_login:
                raise
            refused = exc
            reminder.tell(f"{exc}: waiting for {rotation.file} to change")
            rotation.await_change(min(left, PROBE_SECONDS), stopping)
        else:
            reminder.tell_end(
                f"a Kafka broker answers at {topics.bootstrap_servers}, after {waited:.0f} s"
            )
            return True
    return False


class _Reminder:
    """Says what is waited for, at first and then now and again."""

    def __init__(self) -> None:
        self._told_at: float | None = None

    def tell(self, line: str) -> None:
        now = time.monotonic()
        if self._told_at is None or now - self._told_at >= REMIND_SECONDS:
            logger.warning("%s", line)
            self._told_at = now

    def tell_end(self, line: str) -> None:
        if self._told_at is not None:
            logger.warning("%s", line)


MOST_WITHOUT_MEMORY = 3
"""How often in a row a query begins again for want of memory, with nothing landed in between."""


PROVEN_SECONDS = 30.0
"""A query that has run for so long was let in: any of its questions would have failed by then."""


class Restarts:
    """Starts a query again when another attempt can be expected to run.

    It ended because of a broker that was away, for want of memory, or because a broker does not
    accept any more who the sink says it is: until the settings are renewed, too.

    Args:
        await_broker: Waits for the broker; returns whether it is there, and the query to go on.
        patience_seconds: How long a broker may be away, or fail with nothing landed in between;
            None for ever.
        explain: Called when the query failed for another reason, to raise an error that says more.
        admission: Knows whether the brokers let the sink in.
    """

    def __init__(
        self,
        await_broker: Callable[[], bool],
        patience_seconds: float | None,
        explain: Callable[[], None],
        admission: Admission,
    ) -> None:
        self._await_broker = await_broker
        self._patience = patience_seconds
        self._explain = explain
        self._admission = admission
        self._was_let_in = False
        self._failing_since: float | None = None
        self._without_memory = 0

    def landed(self) -> None:
        """Take note that a batch has landed."""
        self._failing_since = None
        self._without_memory = 0
        self._was_let_in = True

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
        began = time.monotonic()
        try:
            run()
        except (StreamFailedError, BrokerUnreachableError, BrokerRefusedError) as error:
            self._was_let_in |= time.monotonic() - began > PROVEN_SECONDS
            if (refusal := self._admission.refusal_of(error)) is not None:
                if self._can_be_renewed(refusal):
                    return True
                raise refusal from error.__cause__ or error
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

    def _can_be_renewed(self, refusal: BrokerRefusedError) -> bool:
        """Return whether settings are expected that end a refusal, after having waited for them."""
        if not (refusal.at_login and self._was_let_in) or self._is_too_long():
            return False
        return self._admission.await_settings(refusal)

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
