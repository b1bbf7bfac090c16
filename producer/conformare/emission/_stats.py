"""What becomes of the runs, counted; what goes wrong, logged at a bounded rate."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import fields

from conformare._delivery_stats import DeliveryStats
from conformare._process_lock import ProcessLock

logger = logging.getLogger("conformare")

LOG_INTERVAL_SECONDS = 60.0


def total(parts: Iterable[DeliveryStats]) -> DeliveryStats:
    """Return the sum of the stats of several stores; of ages, the largest."""
    everything = list(parts)
    lost: Counter[str] = Counter()
    for part in everything:
        lost.update(part.lost)
    counts = {
        known.name: sum(getattr(part, known.name) for part in everything)
        for known in fields(DeliveryStats)
        if known.name not in ("lost", "oldest_seconds")
    }
    oldest = max((part.oldest_seconds for part in everything), default=0.0)
    return DeliveryStats(**counts, lost=dict(lost), oldest_seconds=oldest)


class Ledger:
    """Counts events by name and lost runs by reason; every method may be called by any thread.

    Args:
        clock: Monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = ProcessLock()
        self.begin_process()

    def begin_process(self) -> None:
        """Start from zero, as a forked child has to."""
        self._counts: Counter[str] = Counter()
        self._lost: Counter[str] = Counter()
        self._warned_at: dict[str, float] = {}

    def count(self, event: str, times: int = 1) -> int:
        """Count an event by its name in `DeliveryStats`, and return how many there are now."""
        with self._lock:
            self._counts[event] += times
            return self._counts[event]

    def lose(self, reason: str, detail: str, times: int = 1) -> None:
        """Count lost runs and log it, at a bounded rate.

        Args:
            reason: One of a few fixed words, so that counts can be compared.
            detail: What an operator needs: broker, topic, error code; never a payload.
            times: How many runs.
        """
        if not times:
            return
        with self._lock:
            self._lost[reason] += times
            so_far = self._lost[reason]
        self.warn(reason, f"a run was lost ({reason}, {so_far} so far): {detail}")

    def warn(self, reason: str, message: str) -> None:
        """Log a warning; of one reason the first, then at most one a minute."""
        with self._lock:
            now = self._clock()
            last = self._warned_at.get(reason)
            if last is not None and now - last < LOG_INTERVAL_SECONDS:
                return
            self._warned_at[reason] = now
        logger.warning("conformare: %s", message)

    def counts(self) -> dict[str, int]:
        """Return the counts of all events."""
        with self._lock:
            return dict(self._counts)

    def lost(self) -> dict[str, int]:
        """Return how many runs were lost, by reason."""
        with self._lock:
            return dict(self._lost)
