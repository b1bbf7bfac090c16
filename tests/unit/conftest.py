"""What the unit tests share: a stand-in for a frame, since they start no Spark."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from conformare.capture.locations import _unreadable


@dataclass(eq=False)
class StubFrame:
    """As much of a data frame as the store knows of."""

    names: list[str] = field(default_factory=list)
    looked_up: int = 0

    @property
    def columns(self) -> list[str]:
        """The column names; each look-up is counted."""
        self.looked_up += 1
        return self.names


@pytest.fixture
def stub_frame() -> type[StubFrame]:
    """The class of frames without Spark."""
    return StubFrame


@pytest.fixture
def quick_digests(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Digests that are not slow on purpose, for tests of very many texts."""
    monkeypatch.setattr(_unreadable, "_ROUNDS", 1)
    _unreadable._slow_digest.cache_clear()
    yield
    _unreadable._slow_digest.cache_clear()
