"""The courier: one background thread that brings emissions to the brokers.

The job's threads only hand parcels over. The courier alone talks to librdkafka, so nothing that a
broker does or does not do can hold the job up.
"""

from __future__ import annotations

import ctypes
import logging
import math
import threading
import time
from collections.abc import Callable, Iterable
from datetime import datetime, timezone
from traceback import format_tb
from typing import Any

from conformare._delivery_stats import DeliveryStats
from conformare._errors import SpoolFileError
from conformare.emission._client import Attempt, Client
from conformare.emission._emission import Emission, Message
from conformare.emission._outcomes import Outcomes
from conformare.emission._parcel import Parcel
from conformare.emission._queue import DeliveryQueue
from conformare.emission._stats import Ledger
from conformare.emission.registry import IdCache, RegisteredIds
from conformare.emission.settings import KafkaOptions
from conformare.emission.spool import Spool, recorded_at

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
PAUSE_AFTER_FAULT_SECONDS = 1.0
JOIN_SECONDS = 1.0
LONGEST_WAIT_SECONDS = 1e9
"""Thirty years: Python's locks cannot wait for ever."""


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
        self._ids: RegisteredIds | None = None
        if (registry := options.registry) is not None:
            cache = None if spool is None else IdCache(spool, registry)
            self._ids = RegisteredIds(registry, options.topic_prefix, cache, ledger.warn)
        self._reset()

    def begin_process(self) -> None:
        """In a forked child: start afresh. What the parent has, the parent delivers."""
        self._abandon_clients()
        if self._spool is not None:
            self._spool.begin_process()
        if self._ids is not None:
            self._ids.begin_process()
        self._reset()

    def _reset(self) -> None:
        self._queue = DeliveryQueue()
        self._outcomes = Outcomes(
            self._queue, self._spool, self._ledger, self._options.bootstrap_servers
        )
        self._clients = {}
        self._thread: threading.Thread | None = None
        self._deadline: float | None = None
        self._next_scan = 0.0

    # -- called by the job's threads

    def accept(self, parcel: Parcel) -> bool:
        """Take a parcel over for delivery.

        Returns:
            False if memory is full: then the parcel was not taken.
        """
        with self._queue.changed:
            if self._queue.memory_bytes + parcel.size_bytes > MEMORY_BYTES:
                if parcel.file is None:
                    return False
                parcel.emission = None
            self._queue.add(parcel)
            self._queue.changed.notify_all()
        self.start()
        return True

    def start(self) -> None:
        """Start the thread where it does not run; without parcels it looks for a backlog."""
        with self._queue.changed:
            if self._deadline is not None or (self._thread and self._thread.is_alive()):
                return
            if self._ids is not None:
                self._ids.begin()
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
        """Wait until something is so, looked at whenever a parcel is settled or trouble is told."""
        with self._queue.changed:
            return self._queue.changed.wait_for(done, min(timeout_seconds, LONGEST_WAIT_SECONDS))

    def own_undelivered(self) -> int:
        """Return how many of this process's emissions are not settled."""
        return self._queue.own_unsettled

    def undelivered_in_spool(self) -> int:
        """Return how many emissions are not settled and have a file, adopted ones included."""
        with self._queue.changed:
            return self._queue.spooled_unsettled

    @property
    def trouble(self) -> str | None:
        """What keeps emissions from being delivered, None if nothing is known."""
        return self._outcomes.trouble

    def stats(self) -> DeliveryStats:
        """Return what became of the runs until now."""
        with self._queue.changed:
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
        timeout_seconds = min(timeout_seconds, LONGEST_WAIT_SECONDS)
        with self._queue.changed:
            self._deadline = time.monotonic() + timeout_seconds
            self._queue.changed.notify_all()
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout_seconds + JOIN_SECONDS)

    # -- the thread

    def _run(self) -> None:
        while not self._is_over():
            self._deliver()
        self._abandon_clients()
        if self._ids is not None:
            self._ids.close()
        if self._spool is not None:
            self._spool.leave()

    def _deliver(self) -> None:
        try:
            self._fill_batch()
            self._deliver_batch()
            self._look_after_spool()
            self._await_news()
        except Exception as exc:  # noqa: BLE001 - as below
            # Nobody is there to catch it, and to end here would leave all others waiting.
            self._report(exc)
            time.sleep(PAUSE_AFTER_FAULT_SECONDS)

    def _report(self, fault: Exception) -> None:
        # Not what it says: librdkafka may quote a setting.
        self._outcomes.say_trouble(f"the courier failed: {type(fault).__name__}")
        logger.debug("a fault in the courier\n%s", "".join(format_tb(fault.__traceback__)))

    def _is_over(self) -> bool:
        with self._queue.changed:
            if self._deadline is None:
                return False
            return self._is_done() or time.monotonic() >= self._deadline

    def _is_done(self) -> bool:
        return not self._queue and not (self._spool is not None and self._spool.has_more)

    def _await_news(self) -> None:
        """Sleep until there is something to do; not for what is under way."""
        with self._queue.changed:
            next_scan = self._next_scan if self._spool else math.inf
            until = min(next_scan, self._queue.next_due(), self._deadline or math.inf)
            before = self._deadline
            self._queue.changed.wait_for(
                lambda: (
                    self._queue.has_next
                    or self._deadline != before
                    or (self._deadline is not None and self._is_done())
                ),
                None if until == math.inf else max(0.0, until - time.monotonic()),
            )

    def _fill_batch(self) -> None:
        size_bytes = 0
        while size_bytes < BATCH_BYTES:
            with self._queue.changed:
                parcel = self._queue.next(time.monotonic())
            if parcel is None:
                return
            try:
                emission = self._content(parcel)
                if emission is None:
                    continue
                size_bytes += parcel.size_bytes
                if not self._client(alone=parcel.alone).send(Attempt(parcel, emission)):
                    return
            except Exception as exc:
                # It is in no line any more, and nothing else would bring it back there.
                self._outcomes.put_off(parcel, f"the courier failed: {type(exc).__name__}")
                raise

    def _content(self, parcel: Parcel) -> Emission | None:
        """Return what is to be sent; None if the parcel is settled, or put off, instead."""
        emission, file = parcel.emission, parcel.file
        if file is None or self._spool is None:
            return emission
        if emission is not None:
            with self._queue.changed:
                self._queue.forget_content(parcel)
            return emission
        try:
            return self._spool.read(file)
        except SpoolFileError as exc:
            self._spool.reject_file(file, str(exc))
            self._outcomes.settle(parcel, "rejected", f"{file.name}: {exc}")
        except FileNotFoundError:
            self._outcomes.lose(parcel, "removed from the spool", str(file))
        except OSError as exc:
            self._outcomes.put_off(parcel, f"{file} cannot be read: {exc.strerror}")
        return None

    def _client(self, *, alone: bool) -> Client:
        if alone not in self._clients:
            settings: dict[str, Any] = self._options.as_librdkafka()
            if alone:
                settings["batch.num.messages"] = 1
            self._clients[alone] = Client(
                settings, self._options.topic_prefix, self._outcomes.on_trouble, self._framed
            )
        return self._clients[alone]

    def _framed(self, message: Message) -> bytes:
        return message.value if self._ids is None else self._ids.framed(message)

    def _deliver_batch(self) -> None:
        """Wait for the batch's answers; what has none in time makes room for others."""
        give_up_at = time.monotonic() + GIVE_UP_SECONDS
        while busy := [client for client in self._clients.values() if not client.is_idle]:
            broken = any(client.is_broken for client in busy)
            unanswered = time.monotonic() >= give_up_at
            at_end = time.monotonic() >= (self._deadline or math.inf)
            if unanswered and self._outcomes.trouble is None:
                self._outcomes.say_trouble(f"no answer within {GIVE_UP_SECONDS:g} s")
            for client in busy:
                in_vain = broken or unanswered or at_end
                self._settle(client.give_up() if in_vain else client.drain(POLL_SECONDS))
            if broken:
                self._abandon_clients()

    def _settle(self, attempts: Iterable[Attempt]) -> None:
        for attempt in attempts:
            try:
                self._outcomes.answered(attempt)
            except Exception as exc:  # noqa: BLE001, PERF203 - the others have an answer as well
                self._report(exc)
                if attempt.parcel.outcome is None:
                    self._outcomes.put_off(attempt.parcel, "its answer could not be dealt with")

    def _abandon_clients(self) -> None:
        for client in self._clients.values():
            _leak(client.producer)
        self._clients = {}

    def _look_after_spool(self) -> None:
        """Take over what nobody looks after, give up what is too old, see how much there is."""
        if self._spool is None:
            return
        now = time.monotonic()
        if now >= self._next_scan:
            self._next_scan = now + SCAN_SECONDS
            self._spool.measure()
            if self._outcomes.trouble is not None:
                self._expire()
                self._spool.say_why(self._outcomes.trouble)
        elif self._queue or not self._spool.has_more:
            return
        self.take_over()

    def _expire(self) -> None:
        # Only while nothing can be delivered: what has just been taken over is tried first.
        if self._options.spool_max_age is not None:
            try:
                oldest = datetime.now(timezone.utc) - self._options.spool_max_age
            except OverflowError:
                return  # before the first year there is nothing
            with self._queue.changed:
                expired = self._queue.spooled_before(oldest)
            for parcel in expired:
                self._outcomes.lose(
                    parcel, "too old", f"waited longer than {self._options.spool_max_age}"
                )

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
            with self._queue.changed:
                self._queue.add(parcel)


def _leak(producer: object) -> None:
    """Keep a producer for ever: librdkafka would wait, on its end, for threads or for brokers."""
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(producer))
