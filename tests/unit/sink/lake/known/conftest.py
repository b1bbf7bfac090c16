"""What the tests of known runs share."""

from __future__ import annotations

import pytest
from support.lakes.known_runs import Read

from conformare_sink.lake.known import known, stored


@pytest.fixture
def few_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few runs are kept on disk, too."""
    monkeypatch.setattr(known, "KEPT", 1)
    monkeypatch.setattr(known, "MOST_GONE", 0.5)
    monkeypatch.setattr(stored, "SPILLED", 3)


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> Read:
    """What is read of the table."""
    return Read(monkeypatch)
