"""What becomes of each parcel: delivered, rejected, lost, or sent again."""

from __future__ import annotations

import logging
import math
import random
import time
from typing import Literal

from confluent_kafka import KafkaError

from conformare._errors import SpoolError
from conformare.emission._client import REFUSED_FOR_SIZE, TAKEN_BACK, Attempt
from conformare.emission._parcel import Outcome, Parcel
from conformare.emission._queue import DeliveryQueue
from conformare.emission._stats import Ledger
from conformare.emission.spool import Spool

logger = logging.getLogger("conformare")

_ADVICE = {
    KafkaError._AUTHENTICATION: "correct the settings sasl.… of kafka",  # noqa: SLF001 - public
    KafkaError.TOPIC_AUTHORIZATION_FAILED: "let this job's user Write to it",
    KafkaError.CLUSTER_AUTHORIZATION_FAILED: "let this job's user Write to the topics",
    KafkaError._UNKNOWN_TOPIC: "create it with `conformare topics create`",  # noqa: SLF001 - public
    KafkaError.UNKNOWN_TOPIC_OR_PART: "create it with `conformare topics create`",
}
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 1.0, 60.0


def _refusal(error: KafkaError, topic: str | None) -> str:
    """Return what a broker said of a topic, and what to do about it."""
    told = f"{error.name()}: {error.str()}"
    if topic is not None:
        told += f" ({topic})"
    advice = _ADVICE.get(error.code())
    return told if advice is None else f"{told}; {advice}"


class Outcomes:
    """Settles the parcels of one courier, or lets them wait; called by its thread alone.

    Args:
        queue: What is not settled.
        spool: Where the files of parcels are; None where there is none.
        ledger: Where to count.
        servers: The brokers, to be named to operators.

    Attributes:
        trouble: What keeps emissions from being delivered, None if nothing is known.
    """

    def __init__(
        self, queue: DeliveryQueue, spool: Spool | None, ledger: Ledger, servers: str
    ) -> None:
        self._queue = queue
        self._spool = spool
        self._ledger = ledger
        self._servers = servers
        self.trouble: str | None = None

    def answered(self, attempt: Attempt) -> None:
        """Decide what becomes of a parcel whose every message was answered for."""
        parcel, error = attempt.parcel, attempt.error
        if error is None:
            self.settle(parcel, "delivered")
            self._recover()
        elif error.code() in TAKEN_BACK:
            self._send_again(parcel)
        elif error.code() not in REFUSED_FOR_SIZE:
            self.put_off(parcel, _refusal(error, attempt.topic))
        elif not parcel.alone:
            # Brokers measure whole batches: it may be a neighbour that was too large.
            parcel.alone = True
            self._send_again(parcel)
        else:
            self._reject(attempt, error)

    def _reject(self, attempt: Attempt, error: KafkaError) -> None:
        cause = (
            f"{error.name()}: a message is larger than its topic takes; raise the topic's "
            "max.message.bytes, or lower max_message_bytes to it"
        )
        emission, parcel = attempt.emission, attempt.parcel
        if self._spool is None or parcel.file is None:
            self.lose(parcel, "rejected", f"{emission.name}: {cause}")
            return
        try:
            self._spool.reject(emission, cause)
        except SpoolError as exc:
            self.put_off(parcel, str(exc))
            return
        self.settle(parcel, "rejected", f"{emission.name}: {cause}")

    def settle(
        self,
        parcel: Parcel,
        outcome: Literal["delivered", "rejected"],
        warning: str | None = None,
    ) -> None:
        """Count how a parcel has ended, and let go of it.

        Args:
            parcel: One that is settled already is not counted again.
            outcome: How.
            warning: What an operator is to be told.
        """
        if warning is not None:
            self._ledger.warn(outcome, f"a run was {outcome}: {warning}")
        if parcel.outcome is None:
            self._ledger.count(outcome)
            self._let_go(parcel, outcome)

    def lose(self, parcel: Parcel, reason: str, detail: str) -> None:
        """Count a parcel as lost, and let go of it."""
        if parcel.outcome is None:
            self._ledger.lose(reason, detail)
            self._let_go(parcel, "lost")

    def _let_go(self, parcel: Parcel, outcome: Outcome) -> None:
        """Remove what is left of a parcel; last of all, tell those who wait for it."""
        if parcel.file is not None and self._spool is not None:
            self._spool.remove(parcel.file)
        with self._queue.changed:
            self._queue.settle(parcel, outcome)
            self._queue.changed.notify_all()

    def _send_again(self, parcel: Parcel) -> None:
        """Let a parcel stand in line once more."""
        self._ledger.count("retried")
        with self._queue.changed:
            self._queue.stand_in_line(parcel)

    def put_off(self, parcel: Parcel, trouble: str) -> None:
        """Let a parcel wait for its next attempt, the longer the more there were."""
        # With jitter, so that the jobs of an hour do not come all at once.
        pause = FIRST_PAUSE_SECONDS * 2 ** min(parcel.attempts, 10) * random.uniform(0.5, 1.5)  # noqa: S311
        parcel.attempts += 1
        self.say_trouble(trouble)
        self._ledger.count("retried")
        with self._queue.changed:
            self._queue.put_off(parcel, time.monotonic() + min(pause, LONGEST_PAUSE_SECONDS))
            self._queue.changed.notify_all()

    def on_trouble(self, error: KafkaError) -> None:
        """Take note of what librdkafka says of its brokers; of no interest while nothing waits."""
        if self._queue:
            self.say_trouble(_refusal(error, None))

    def say_trouble(self, trouble: str) -> None:
        """Tell what keeps emissions from being delivered: the log, the spool, who waits for it."""
        spooled, waiting = self._queue.spooled_unsettled, len(self._queue)
        place = f"in {self._spool.root}" if self._spool and spooled == waiting else "in memory"
        if 0 < spooled < waiting and self._spool:
            place = f"in {self._spool.root}, {waiting - spooled} of them in memory"
        self._ledger.warn(
            "not delivered",
            f"{waiting} run(s) cannot be delivered to {self._servers} at present and wait "
            f"{place}: {trouble}",
        )
        if self.trouble is None and self._spool is not None:
            self._spool.say_why(trouble)
        # Last of all: who waits for it finds all the rest done.
        with self._queue.changed:
            self.trouble = trouble
            self._queue.changed.notify_all()

    def _recover(self) -> None:
        # As long as something was put off, what kept it from being delivered is of interest.
        if self.trouble is not None and self._queue.next_due() == math.inf:
            self.trouble = None
            logger.info("conformare: %s answers again", self._servers)
            if self._spool is not None:
                self._spool.say_why(None)
