"""The courier: one background thread that brings emissions to the brokers.

The job's threads only hand parcels over. The courier alone talks to librdkafka, so nothing that a
broker does or does not do can hold the job up.
"""

from __future__ import annotations

import ctypes
import logging
import math
import random
import threading
import time
from collections.abc import Callable
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from conformare._errors import SpoolError, SpoolFileError
from conformare.emission._parcel import Parcel
from conformare.emission._queue import DeliveryQueue
from conformare.emission._settings import KafkaOptions
from conformare.emission._stats import DeliveryStats, Ledger
from conformare.emission.spool import Spool, recorded_at

if TYPE_CHECKING:  # librdkafka takes a tenth of a second to load: the courier's, not the job's
    from confluent_kafka import KafkaError

    from conformare.emission._client import Attempt, Client

logger = logging.getLogger("conformare")

BATCH_BYTES = 4 * 2**20
"""How much librdkafka is given at a time."""
GIVE_UP_SECONDS = 10.0
"""How long a batch may wait for its answers before others have their turn: one partition without
a leader is not to hold up the rest."""
MEMORY_BYTES = 64 * 2**20
"""How much waits in memory where there is no spool; what comes beyond it is lost, and counted."""
POLL_SECONDS = 0.1
SCAN_SECONDS = 30.0
"""How often the courier looks for what processes that have ended left in the spool."""
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 1.0, 60.0
JOIN_SECONDS = 1.0


class Courier:
    """Delivers the parcels of one process to one destination.

    Args:
        options: Where to, and how.
        spool: The spool; None where memory alone is asked for.
        ledger: Where to count.
    """

    def __init__(self, options: KafkaOptions, spool: Spool | None, ledger: Ledger) -> None:
        self._options = options
        self._spool = spool
        self._ledger = ledger
        self._clients: dict[bool, Client] = {}
        self._reset()

    def begin_process(self) -> None:
        """In a forked child: start afresh. What the parent has, the parent delivers."""
        for client in self._clients.values():
            _leak(client.producer)
        if self._spool is not None:
            self._spool.begin_process()
        self._reset()

    def _reset(self) -> None:
        self._changed = threading.Condition()
        self._queue = DeliveryQueue()
        self._clients = {}
        self._batch_bytes = 0
        self._thread: threading.Thread | None = None
        self._deadline: float | None = None
        self._next_scan = 0.0
        self._trouble: str | None = None

    # -- called by the job's threads

    def accept(self, parcel: Parcel) -> bool:
        """Take a parcel over for delivery.

        Returns:
            False if memory is full: then the parcel was not taken.
        """
        with self._changed:
            if self._queue.memory_bytes + parcel.size_bytes > MEMORY_BYTES:
                if parcel.file is None:
                    return False
                parcel.emission = None
            self._queue.add(parcel)
            self._changed.notify_all()
        self.start()
        return True

    def start(self) -> None:
        """Start the thread where it does not run; without parcels it looks for a backlog."""
        with self._changed:
            if self._deadline is not None or (self._thread and self._thread.is_alive()):
                return
            self._thread = threading.Thread(
                target=self._run, name="conformare-courier", daemon=True
            )
            try:
                self._thread.start()
            except RuntimeError as exc:
                # The interpreter ends, or the machine has no more threads: the next call tries.
                self._thread = None
                self._ledger.warn("no thread", f"runs wait until a thread can be started: {exc}")

    def wait(self, done: Callable[[], bool], timeout_seconds: float) -> bool:
        """Wait until something is so, looked at after every parcel that is settled or put off."""
        with self._changed:
            return self._changed.wait_for(done, timeout_seconds)

    def own_undelivered(self) -> int:
        """Return how many of this process's emissions are not settled."""
        return self._queue.own_unsettled

    def undelivered_in_spool(self) -> int:
        """Return how many emissions are not settled and have a file, adopted ones included."""
        with self._changed:
            return self._queue.n_spooled()

    @property
    def trouble(self) -> str | None:
        """What keeps emissions from being delivered, None if nothing is known."""
        return self._trouble

    def stats(self) -> DeliveryStats:
        """Return what became of the runs until now."""
        with self._changed:
            waiting = self._queue.waiting()
        age = datetime.now(timezone.utc) - waiting.oldest if waiting.oldest else None
        return DeliveryStats(
            **self._ledger.counts(),
            lost=self._ledger.lost(),
            waiting=waiting.emissions,
            waiting_bytes=waiting.size_bytes,
            oldest_seconds=max(0.0, age.total_seconds()) if age else 0.0,
        )

    def close(self, timeout_seconds: float) -> None:
        """Deliver for at most so long, then stop."""
        with self._changed:
            self._deadline = time.monotonic() + timeout_seconds
            self._changed.notify_all()
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout_seconds + JOIN_SECONDS)

    # -- the thread

    def _run(self) -> None:
        while not self._is_over():
            self._deliver()
        for client in self._clients.values():
            # To destroy it could take as long as a broker that does not answer.
            _leak(client.producer)
        if self._spool is not None:
            self._spool.leave()

    def _deliver(self) -> None:
        try:
            self._fill_batch()
            self._deliver_batch()
            self._scan_if_due()
            self._await_news()
        except Exception as exc:
            # Nobody is there to catch it, and to end here would leave all others waiting. Not what
            # it says: librdkafka may quote a setting.
            self._say_trouble(f"the courier failed: {type(exc).__name__}")
            logger.debug("a fault in the courier", exc_info=True)
            time.sleep(FIRST_PAUSE_SECONDS)

    def _is_over(self) -> bool:
        with self._changed:
            if self._deadline is None:
                return False
            return not self._queue or time.monotonic() >= self._deadline

    def _await_news(self) -> None:
        """Sleep until there is something to do; not for what is under way."""
        with self._changed:
            next_scan = self._next_scan if self._spool else math.inf
            until = min(next_scan, self._queue.next_due(), self._deadline or math.inf)
            deadline = self._deadline
            self._changed.wait_for(
                lambda: self._queue.has_next or self._deadline != deadline,
                None if until == math.inf else max(0.0, until - time.monotonic()),
            )

    def _fill_batch(self) -> None:
        with self._changed:
            if not self._queue.has_next and self._queue.next_due() > time.monotonic():
                return
        self._client(alone=False)  # before a parcel is taken that could not be sent
        while self._batch_bytes < BATCH_BYTES:
            with self._changed:
                parcel = self._queue.next(time.monotonic())
            if parcel is None:
                return
            attempt = self._begin(parcel)
            if attempt and not self._client(alone=parcel.alone).send(attempt):
                return

    def _begin(self, parcel: Parcel) -> Attempt | None:
        from conformare.emission._client import Attempt

        emission = parcel.emission
        if emission is None and parcel.file is not None and self._spool is not None:
            try:
                emission = self._spool.read(parcel.file).emission
            except SpoolFileError as exc:
                self._spool.reject_file(parcel.file, str(exc))
                self._settle(parcel, "rejected", f"{parcel.file.name}: {exc}")
            except FileNotFoundError:
                self._lose(parcel, "removed from the spool", str(parcel.file))
            except OSError as exc:
                self._put_off(parcel, f"{parcel.file} cannot be read: {exc.strerror}")
        if emission is None:
            return None
        self._batch_bytes += parcel.size_bytes
        if parcel.file is not None:
            with self._changed:
                self._queue.forget_content(parcel)
        return Attempt(parcel, emission)

    def _client(self, *, alone: bool) -> Client:
        from conformare.emission._client import Client

        if alone not in self._clients:
            settings: dict[str, Any] = self._options.as_librdkafka()
            if alone:
                settings["batch.num.messages"] = 1
            self._clients[alone] = Client(settings, self._options.topic_prefix, self._on_trouble)
        return self._clients[alone]

    def _deliver_batch(self) -> None:
        """Wait for the batch's answers; what has none in time makes room for others."""
        give_up_at = time.monotonic() + GIVE_UP_SECONDS
        while busy := [client for client in self._clients.values() if not client.is_idle]:
            broken = any(client.is_broken for client in busy)
            in_vain = broken or time.monotonic() >= min(give_up_at, self._deadline or math.inf)
            for client in busy:
                for attempt in client.give_up() if in_vain else client.drain(POLL_SECONDS):
                    self._on_answer(attempt)
            if broken:
                self._clients = {}

    def _on_answer(self, attempt: Attempt) -> None:
        from conformare.emission._client import REFUSED_FOR_SIZE, TAKEN_BACK

        parcel, error = attempt.parcel, attempt.error
        self._batch_bytes -= parcel.size_bytes
        if error is None:
            self._settle(parcel, "delivered")
            self._on_recovery()
        elif error.code() in TAKEN_BACK:
            self._send_again(parcel)
        elif error.code() not in REFUSED_FOR_SIZE:
            self._put_off(parcel, f"{error.name()}: {error.str()}")
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
            self._lose(parcel, "rejected", f"run {emission.run_id!r}: {cause}")
            return
        try:
            self._spool.reject(emission, cause)
        except SpoolError as exc:
            self._put_off(parcel, str(exc))
            return
        self._settle(parcel, "rejected", f"run {emission.run_id!r}: {cause}")

    def _settle(self, parcel: Parcel, outcome: str, warning: str | None = None) -> None:
        if not parcel.settled:
            self._ledger.count(outcome)
            self._let_go(parcel)
        if warning is not None:
            self._ledger.warn(outcome, f"a run was {outcome}: {warning}")

    def _lose(self, parcel: Parcel, reason: str, detail: str) -> None:
        if not parcel.settled:
            self._ledger.lose(reason, detail)
            self._let_go(parcel)

    def _let_go(self, parcel: Parcel) -> None:
        """Remove what is left of a parcel; last of all, tell those who wait for it."""
        if parcel.file is not None and self._spool is not None:
            self._spool.remove(parcel.file, parcel.size_bytes)
        with self._changed:
            self._queue.settle(parcel)
            self._changed.notify_all()

    def _send_again(self, parcel: Parcel) -> None:
        """Let a parcel stand in line once more."""
        self._ledger.count("retried")
        with self._changed:
            self._queue.stand_in_line(parcel)

    def _put_off(self, parcel: Parcel, trouble: str) -> None:
        """Let a parcel wait for its next attempt, the longer the more there were."""
        # With jitter, so that the jobs of an hour do not come all at once.
        pause = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2 ** min(parcel.attempts, 10))
        pause *= random.uniform(0.5, 1.5)  # noqa: S311 - not for secrets
        parcel.attempts += 1
        self._say_trouble(trouble)
        self._ledger.count("retried")
        with self._changed:
            self._queue.put_off(parcel, time.monotonic() + pause)

    def _on_trouble(self, error: KafkaError) -> None:
        if self._queue:
            self._say_trouble(f"{error.name()}: {error.str()}")

    def _say_trouble(self, trouble: str) -> None:
        news = self._trouble is None
        self._trouble = trouble
        waiting = len(self._queue)
        self._ledger.warn(
            "not delivered",
            f"{waiting} run(s) cannot be delivered to {self._options.bootstrap_servers} at present "
            f"and wait in {self._spool.root if self._spool else 'memory'}: {trouble}",
        )
        if news and self._spool is not None:
            self._spool.say_why(trouble)

    def _on_recovery(self) -> None:
        if self._trouble is not None:
            self._trouble = None
            logger.info("conformare: %s answers again", self._options.bootstrap_servers)
            if self._spool is not None:
                self._spool.say_why(None)

    def _scan_if_due(self) -> None:
        """Look after the spool: expire what is too old, take over what nobody looks after."""
        now = time.monotonic()
        if self._spool is None or now < self._next_scan:
            return
        self._next_scan = now + SCAN_SECONDS
        self._spool.let_go_of_delivered()
        self.take_over()
        if self._options.spool_max_age is not None:
            oldest = datetime.now(timezone.utc) - self._options.spool_max_age
            with self._changed:
                expired = self._queue.spooled_before(oldest)
            for parcel in expired:
                self._lose(parcel, "too old", f"waited longer than {self._options.spool_max_age}")
        self._spool.measure()

    def take_over(self) -> None:
        """Take over what processes that have ended left; not while the thread runs."""
        if self._spool is None:
            return
        for file in self._spool.adopt():
            try:
                parcel = Parcel(
                    size_bytes=file.stat().st_size,
                    recorded_at=recorded_at(file.name),
                    emission=None,
                    file=file,
                    own=False,
                )
            except (OSError, SpoolFileError):
                continue  # gone in between, or a stranger's: it stays where it is
            self._ledger.count("adopted")
            with self._changed:
                self._queue.add(parcel)


def _leak(producer: object) -> None:
    """Keep a producer for ever: librdkafka would wait, on its end, for threads or for brokers."""
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(producer))
