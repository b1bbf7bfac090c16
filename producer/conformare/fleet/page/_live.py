"""A fleet that many ask at once, while one thread looks for what has come."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager, suppress

from conformare.fleet._fleet import Fleet
from conformare.fleet.page._cells import moment


class LiveFleet:
    """A fleet behind a lock, kept up to date.

    A store that cannot be read leaves the last answers as they are, and says so in `fault`.

    Args:
        fleet: The fleet.
        poll_seconds: How often to look for what has come.
    """

    def __init__(self, fleet: Fleet, poll_seconds: float) -> None:
        self.fault: str | None = None
        self.generation = 0
        self._fleet = fleet
        self._poll_seconds = poll_seconds
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._poll, name="conformare-fleet", daemon=True)
        self._waiting: set[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = set()

    def start(self) -> None:
        """Begin to look for what has come."""
        self._thread.start()

    def stop(self) -> None:
        """Stop looking, and let go those who wait."""
        self._stop.set()
        self._tell()

    @contextmanager
    def asked(self) -> Iterator[Fleet]:
        """Yield the fleet to one who asks; nobody else asks meanwhile."""
        with self._lock:
            yield self._fleet

    async def states(self, seconds: float) -> AsyncGenerator[int, None]:
        """Yield the number of the fleet's state as it changes, and again where it does not.

        Args:
            seconds: Within which it is told again.
        """
        event = asyncio.Event()
        waiting = asyncio.get_running_loop(), event
        self._waiting.add(waiting)
        try:
            while not self._stop.is_set():
                event.clear()
                yield self.generation
                with suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(event.wait(), seconds)
        finally:
            self._waiting.discard(waiting)

    def changed(self) -> None:
        """Say to all who wait that there is something new."""
        self.generation += 1
        self._tell()

    def _poll(self) -> None:
        while not self._stop.wait(self._poll_seconds):
            fault = self._refresh()
            if fault is None:
                continue
            if fault != self.fault:
                self.fault = fault or None
                self.changed()

    def _refresh(self) -> str | None:
        """Fold in what has come; return a new fault, empty for none, None where nothing changed."""
        try:
            with self._lock:
                has_changed = self._fleet.refresh()
        except Exception as exc:  # noqa: BLE001 - the page outlives any fault of its store
            if self.fault:
                return None
            words = " ".join(str(exc).split())
            return f"Not read since {moment(self._fleet.now)}: {words}. These are the last answers."
        if has_changed:
            self.changed()
        return "" if self.fault else None

    def _tell(self) -> None:
        for loop, event in tuple(self._waiting):
            loop.call_soon_threadsafe(event.set)
