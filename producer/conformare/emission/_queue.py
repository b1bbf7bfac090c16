"""What waits to be delivered, in which order, and how much of it there is.

Own emissions go before adopted ones, so that a backlog of others does not hold up a job's own
runs; what has failed waits for its next time.
"""

from __future__ import annotations

import heapq
import itertools
import math
import threading
from collections import deque
from datetime import datetime
from typing import NamedTuple

from conformare.emission._parcel import Outcome, Parcel


class Waiting(NamedTuple):
    """How much waits: emissions, their bytes, and when the oldest was recorded (None for none)."""

    emissions: int
    size_bytes: int
    oldest: datetime | None


class DeliveryQueue:
    """The parcels that are not settled yet.

    Attributes:
        changed: To be held around every call where several threads use the queue, and notified of
            what others wait for.
        spooled_unsettled: How many parcels there are that have a file.
        memory_bytes: What the parcels take whose emission is in memory.
    """

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self._own: deque[Parcel] = deque()
        self._adopted: deque[Parcel] = deque()
        self._later: list[tuple[float, int, Parcel]] = []
        self._order = itertools.count()
        # By whether they are own; dicts as sets that keep their order.
        self._unsettled: dict[bool, dict[Parcel, None]] = {True: {}, False: {}}
        self._size_bytes = 0
        self.spooled_unsettled = 0
        self.memory_bytes = 0

    def __len__(self) -> int:
        return sum(map(len, self._unsettled.values()))

    @property
    def own_unsettled(self) -> int:
        """How many parcels of this process there are."""
        return len(self._unsettled[True])

    def add(self, parcel: Parcel) -> None:
        """Take a new parcel."""
        self._unsettled[parcel.own][parcel] = None
        self._size_bytes += parcel.size_bytes
        self.spooled_unsettled += parcel.file is not None
        if parcel.emission is not None:
            self.memory_bytes += parcel.size_bytes
        self.stand_in_line(parcel)

    def stand_in_line(self, parcel: Parcel) -> None:
        """Let a parcel that was taken by `next` be sent after all others of its kind."""
        (self._own if parcel.own else self._adopted).append(parcel)

    def forget_content(self, parcel: Parcel) -> None:
        """Leave a parcel's emission to its file."""
        if parcel.emission is not None:
            parcel.emission = None
            self.memory_bytes -= parcel.size_bytes

    def put_off(self, parcel: Parcel, due: float) -> None:
        """Let a parcel wait for its next attempt.

        Args:
            parcel: One that was taken by `next`.
            due: From when on, in the monotonic seconds that `next` is given.
        """
        heapq.heappush(self._later, (due, next(self._order), parcel))

    def next(self, now: float) -> Parcel | None:
        """Return what is to be sent next, None if there is nothing at present."""
        while self._later and self._later[0][0] <= now:
            parcel = heapq.heappop(self._later)[2]
            if parcel.outcome is None:
                return parcel
        for line in (self._own, self._adopted):
            while line:
                parcel = line.popleft()
                if parcel.outcome is None:
                    return parcel
        return None

    @property
    def has_next(self) -> bool:
        """Whether something waits that is not put off."""
        return bool(self._own or self._adopted)

    def next_due(self) -> float:
        """Return when the first of those that were put off is due; infinity if there is none."""
        return self._later[0][0] if self._later else math.inf

    def settle(self, parcel: Parcel, outcome: Outcome) -> None:
        """Take note that nothing more is to be done for a parcel."""
        parcel.outcome = outcome
        del self._unsettled[parcel.own][parcel]
        self._size_bytes -= parcel.size_bytes
        self.spooled_unsettled -= parcel.file is not None
        self.forget_content(parcel)

    def waiting(self) -> Waiting:
        """Return how much is not settled."""
        # Own parcels come in the order of their time; adopted ones from many processes.
        own = itertools.islice(self._unsettled[True], 1)
        ages = (parcel.recorded_at for parcel in itertools.chain(own, self._unsettled[False]))
        return Waiting(len(self), self._size_bytes, min(ages, default=None))

    def spooled_before(self, moment: datetime) -> list[Parcel]:
        """Return the parcels in the spool that were recorded before a moment."""
        return [
            parcel
            for parcel in itertools.chain(*self._unsettled.values())
            if parcel.file is not None and parcel.recorded_at < moment
        ]
