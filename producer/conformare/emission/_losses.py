"""Every run that is not delivered is counted with its reason and logged at a bounded rate."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable

logger = logging.getLogger("conformare")

LOG_INTERVAL_SECONDS = 60.0


class LossLedger:
    """Counts lost runs by reason; logs the first of each reason, then at most one a minute.

    Args:
        clock: Monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._lost: Counter[str] = Counter()
        self._logged_at: dict[str, float] = {}

    def count(self, reason: str, detail: str) -> None:
        """Count one lost run.

        Args:
            reason: One of a few fixed words, so that counts can be compared.
            detail: What an operator needs: broker, topic, error code; never a payload.
        """
        with self._lock:
            self._lost[reason] += 1
            total = self._lost[reason]
            now = self._clock()
            due = now - self._logged_at.get(reason, -LOG_INTERVAL_SECONDS) >= LOG_INTERVAL_SECONDS
            if due:
                self._logged_at[reason] = now
        if due:
            logger.warning(
                "conformare: a run was not delivered (%s, %d so far): %s", reason, total, detail
            )

    def by_reason(self) -> dict[str, int]:
        """Return how many runs were lost, by reason."""
        with self._lock:
            return dict(self._lost)
