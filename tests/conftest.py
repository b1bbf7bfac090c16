"""What all tests share: nothing that the guard swallows goes unseen, and each starts afresh."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import settings

from conformare import _stores
from conformare._guard import guard
from conformare.capture import (
    profile_sources,
    reset_context,
    reset_marks,
    restore,
    set_profiles,
    store,
)
from conformare.emission import _writers

OPT_OUT = "expects_guarded_fault"

# How long an example takes says nothing of the code on a machine that others keep busy.
settings.register_profile("unhurried", settings(), deadline=None)
settings.load_profile("unhurried")


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line(
        "markers", f"{OPT_OUT}: the test provokes a fault that the guard is to swallow"
    )


@pytest.fixture(scope="session", autouse=True)
def nobody_elses_spool(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the runs of tests, and of what they start, out of the user's own spool."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("CONFORMARE_SPOOL_DIR", str(tmp_path_factory.mktemp("spool")))
        environment.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        yield


@pytest.fixture(autouse=True)
def swallowed_faults_fail(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[list[Exception]]:
    """Raise after the test what the guard swallowed during it.

    Tests that are marked `expects_guarded_fault` get the list and look for themselves.
    """
    swallowed: list[Exception] = []
    monkeypatch.setattr(guard, "reporter", swallowed.append)
    yield swallowed
    if swallowed and request.node.get_closest_marker(OPT_OUT) is None:
        raise swallowed[0]


@pytest.fixture(autouse=True)
def nothing_captured() -> Iterator[None]:
    """Leave nothing of a test's capture to the next one."""
    yield
    restore()
    profile_sources(enable=False)
    set_profiles()
    reset_marks()
    reset_context()
    store.clear()


@pytest.fixture(autouse=True)
def no_store_is_configured(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each test begin without a store, whatever the one before has configured."""
    monkeypatch.setattr(_stores, "_stores", _stores._Stores())


@pytest.fixture(autouse=True)
def no_writer_is_left(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let `flush` and `delivery_stats` count the writers of this test, and of no other."""
    writers = _writers._Writers()
    monkeypatch.setattr(_writers, "_writers", writers)
    yield
    for writer in writers._all:
        writer.close(timeout_seconds=0)
