"""What the unit tests share: a stand-in for a frame, since they start no Spark."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest


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
