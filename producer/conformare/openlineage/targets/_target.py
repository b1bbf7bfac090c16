"""Where events go: one way to send, and the two ways in which that can fail."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from conformare._errors import ConformareError
from conformare.openlineage._events import RunEvents

AGAIN = "the next export sends the same again"


class TargetError(ConformareError):
    """The receiver takes no events now: what was not sent is sent by the next export."""


class Target(Protocol):
    """Takes events until it is closed."""

    def send(self, runs: Sequence[RunEvents]) -> Iterator[tuple[RunEvents, str | None]]:
        """Send the events of runs, each run's in their order.

        Yields:
            Each run once it is acknowledged, or with the reason why it alone is refused.

        Raises:
            TargetError: The receiver takes none.
        """

    def close(self) -> None:
        """Let go of what is open."""
