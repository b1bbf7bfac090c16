"""Frames are persisted only where that was asked for, once each, and released as a whole."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from conformare.capture import force_profile, profile, release_cache, store
from conformare.capture._lineage import Expectation
from conformare.capture.checks._profiles import step_done

CLASSIC = SimpleNamespace(sparkContext=SimpleNamespace(_jsc=object()))
CONNECT = SimpleNamespace(is_stopped=False)


@dataclass(eq=False)
class Frame:
    """As much of a frame of Spark as persisting it takes."""

    sparkSession: Any = field(default_factory=lambda: CLASSIC)  # noqa: N815 - Spark's name
    isStreaming: bool = False  # noqa: N815 - Spark's name
    log: list[str] = field(default_factory=list)

    @property
    def storageLevel(self) -> Any:
        """Where it is persisted."""
        persisted = self.log.count("persist") > self.log.count("unpersist")
        return SimpleNamespace(useMemory=persisted, useDisk=False, useOffHeap=False)

    def persist(self) -> None:
        """Persist it."""
        self.log.append("persist")

    def unpersist(self) -> None:
        """Unpersist it."""
        self.log.append("unpersist")


class Checker:
    """A profiler that notes that it ran."""

    def evaluate(self, frame: Any, node: int) -> list[Expectation]:
        """Note that the frame was checked."""
        getattr(frame, "log", []).append("check")
        return [Expectation(node, "expect_x", None, success=True, hard=False, severity="info")]


@pytest.fixture(autouse=True)
def nothing_persisted() -> Iterator[None]:
    """Leave nothing to the next test."""
    yield
    release_cache()


@pytest.mark.parametrize("session", [CLASSIC, CONNECT], ids=["classic", "connect"])
@pytest.mark.parametrize("only", ["all", "last"])
def test_a_frame_is_persisted_once_before_its_checks(session: Any, only: Any) -> None:
    frame, other = Frame(session), Frame(session)
    with (
        force_profile(Checker(), ops="filter", cache=True, only=only),
        force_profile(Checker(), ops="filter", cache=True, only=only),
    ):
        step_done("select", other, 1)
        step_done("filter", frame, 2)
    assert frame.log == ["persist", "check", "check"]
    assert other.log == []
    assert release_cache() == 1
    assert frame.log[3:] == ["unpersist"]
    assert release_cache() == 0


def test_nothing_is_persisted_without_being_asked_for() -> None:
    frame = Frame()
    with profile(Checker()), force_profile(Checker()):
        step_done("filter", frame, 1)
    with force_profile(cache=True):
        step_done("filter", frame, 1)
    with profile(Checker()), force_profile(Checker(), ops="select", cache=True):
        step_done("filter", frame, 1)
    assert frame.log == ["check", "check", "check"]
    assert release_cache() == 0


def test_what_the_user_has_persisted_is_not_released() -> None:
    frame = Frame(log=["persist"])
    with force_profile(Checker(), cache=True):
        step_done("filter", frame, 1)
    assert release_cache() == 0
    assert frame.log == ["persist", "check"]


@pytest.mark.parametrize("frame", [Frame(isStreaming=True), SimpleNamespace(log=[])])
def test_what_cannot_be_persisted_is_checked_all_the_same(frame: Any) -> None:
    with force_profile(Checker(), cache=True):
        step_done("filter", frame, 1)
    assert frame.log == ["check"]


@pytest.mark.expects_guarded_fault
def test_a_frame_that_will_not_be_persisted_reaches_nobody(
    swallowed_faults_fail: list[Exception],
) -> None:
    class Unwilling(Frame):
        def persist(self) -> None:
            raise MemoryError

    with force_profile(Checker(), cache=True):
        step_done("filter", Unwilling(), 1)
    assert [type(fault) for fault in swallowed_faults_fail] == [MemoryError]
    assert len(store.snapshot().expectations) == 1
    assert release_cache() == 0


@pytest.mark.parametrize(
    "ended",
    [
        SimpleNamespace(sparkContext=SimpleNamespace(_jsc=None)),
        SimpleNamespace(is_stopped=True),
    ],
    ids=["classic", "connect"],
)
def test_the_end_of_a_session_has_released_its_frames(ended: Any) -> None:
    frame = Frame()
    with force_profile(Checker(), cache=True):
        step_done("filter", frame, 1)
    frame.sparkSession = ended
    assert release_cache() == 1
    assert frame.log == ["persist", "check"]
