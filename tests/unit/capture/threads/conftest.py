"""Threads are followed in every test, as they are while Spark is tracked."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from conformare.capture._threads import follow_threads, leave_threads


@pytest.fixture(autouse=True)
def following() -> Iterator[None]:
    """Threads are followed, as they are while Spark is tracked."""
    follow_threads()
    yield
    leave_threads()
