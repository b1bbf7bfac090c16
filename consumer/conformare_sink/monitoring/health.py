"""How the stream is: what `/health` and `/live` answer."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from prometheus_client import CollectorRegistry, Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

BATCH_LIMIT_SECONDS = 600.0

_STARTING = "starting"
_RUNNING = "ok"
_WAITING = "waiting for the broker"
_STALLED = "stalled"
_STOPPING = "stopping"
STATUSES = (_RUNNING, _STARTING, _WAITING, _STALLED, _STOPPING)


class HealthReport(NamedTuple):
    """How the stream is at one moment."""

    healthy: bool
    status: str
    """`ok`, `starting`, `waiting for the broker`, `stalled` or `stopping`."""
    seconds: float
    """How long it has been so; of a stalled stream, how long its batch has been running."""

    @property
    def alive(self) -> bool:
        """Whether a restart would not help: only a stalled stream needs one."""
        return self.status != _STALLED


class Health:
    """What the stream says of itself.

    It takes no lock: a signal handler may call `stopping` in the middle of anything.

    Args:
        batch_limit_seconds: A batch that has been running for longer than this has stalled.
        clock: Seconds that never go back.
    """

    def __init__(
        self,
        batch_limit_seconds: float = BATCH_LIMIT_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._batch_limit_seconds = batch_limit_seconds
        self._clock = clock
        self._state = (_STARTING, clock())
        self._batch_since: float | None = None
        self._stopping_since: float | None = None

    def starting(self) -> None:
        """Say that a broker has answered, and that what the stream needs is being opened."""
        self._be(_STARTING)

    def running(self) -> None:
        """Say that the stream runs; again and again is the same as once."""
        self._be(_RUNNING)

    def waiting_for_broker(self) -> None:
        """Say that the stream waits for its broker; again and again is the same as once."""
        self._be(_WAITING)

    def stopping(self) -> None:
        """Say that the stream ends; nothing that is said later changes that."""
        if self._stopping_since is None:
            self._stopping_since = self._clock()

    @contextmanager
    def batch(self) -> Iterator[None]:
        """Say that the stream runs, and that a batch is under way until the block is left."""
        self.running()
        self._batch_since = self._clock()
        try:
            yield
        finally:
            self._batch_since = None

    def report(self) -> HealthReport:
        """Return how the stream is now."""
        now = self._clock()
        if self._stopping_since is not None:
            return HealthReport(False, _STOPPING, now - self._stopping_since)
        (status, since), batch_since = self._state, self._batch_since
        if status == _RUNNING and batch_since is not None:
            batch_seconds = now - batch_since
            if batch_seconds > self._batch_limit_seconds:
                return HealthReport(False, _STALLED, batch_seconds)
        return HealthReport(status == _RUNNING, status, now - since)

    def _be(self, status: str) -> None:
        if self._state[0] != status:
            self._state = (status, self._clock())


def status_registry(health: Health) -> CollectorRegistry:
    """Return a registry that shows how the stream is whenever it is asked."""
    registry = CollectorRegistry()
    registry.register(_StatusCollector(health))
    return registry


class _StatusCollector(Collector):
    def __init__(self, health: Health) -> None:
        self._health = health

    def collect(self) -> Iterator[Metric]:
        gauge = GaugeMetricFamily(
            "conformare_sink_status",
            "1 for the status that the sink has, 0 for the others.",
            labels=["status"],
        )
        now = self._health.report().status
        for status in STATUSES:
            gauge.add_metric([status], float(status == now))
        yield gauge
