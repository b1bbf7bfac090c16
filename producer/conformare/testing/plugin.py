"""The pytest plugin: `pytest_plugins = ["conformare.testing.plugin"]`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from conformare._stores import recording_into
from conformare.capture import reset_context, store
from conformare.testing._memory import InMemoryWriter


@pytest.fixture
def recorded_runs() -> Iterator[InMemoryWriter]:
    """What `record_run` records during the test, in place of the configured store.

    The capture starts empty and is forgotten at the end, so that tests do not see each other's.
    """
    writer = InMemoryWriter()
    _forget_capture()
    with recording_into(writer):
        yield writer
    _forget_capture()


def _forget_capture() -> None:
    store.clear()
    reset_context()
