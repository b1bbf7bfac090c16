"""Profilers run on the steps that were chosen for them, and on no other."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from conformare.capture import (
    force_profile,
    get_profiles,
    profile,
    profile_sources,
    set_profiles,
    store,
)
from conformare.capture._lineage import Expectation
from conformare.capture.checks._profiles import read_done, step_done


class Recorder:
    """A profiler that notes what it was run on."""

    def __init__(self) -> None:
        self.seen: list[Any] = []

    def evaluate(self, frame: Any, node: int) -> list[Expectation]:
        """Note the frame."""
        self.seen.append(frame)
        return [Expectation(node, "expect_x", None, success=True, hard=False, severity="info")]


@pytest.fixture
def recorder() -> Recorder:
    """A profiler that notes what it was run on."""
    return Recorder()


@pytest.fixture
def sources_too() -> Iterator[None]:
    """Reads are checked for one test."""
    profile_sources()
    yield
    profile_sources(enable=False)


STEPS = ("filter", "group_by.agg", "group_by.count", "select")


def take_steps() -> None:
    """Pretend that steps were taken; the frame of each is its name."""
    read_done("read", 1)
    for node, op in enumerate(STEPS, start=2):
        step_done(op, op, node)


@pytest.mark.usefixtures("sources_too")
@pytest.mark.parametrize(
    ("wanted", "seen"),
    [
        ("*", list(STEPS)),
        ("filter", ["filter"]),
        ("group_by", ["group_by.agg", "group_by.count"]),
        ("read", ["read"]),
        ("join", []),
    ],
)
def test_a_profile_chooses_steps(recorder: Recorder, wanted: str, seen: list[str]) -> None:
    set_profiles({wanted: [recorder]})
    take_steps()
    with profile(recorder, ops=wanted):
        pass
    assert recorder.seen == seen
    assert len(store.snapshot().expectations) == len(seen)


@pytest.mark.usefixtures("sources_too")
@pytest.mark.parametrize("block", [profile, force_profile])
@pytest.mark.parametrize(
    ("ops", "seen"),
    [(None, list(STEPS)), ("select", ["select"]), (["read", "filter"], ["read", "filter"])],
)
def test_a_block_chooses_steps_while_it_is_open(
    block: Callable[..., Any], recorder: Recorder, ops: Any, seen: list[str]
) -> None:
    take_steps()
    with block(recorder, ops=ops):
        take_steps()
    take_steps()
    assert recorder.seen == seen


def test_reads_are_checked_only_where_that_was_asked_for(recorder: Recorder) -> None:
    set_profiles({"read": [recorder]})
    take_steps()
    profile_sources()
    take_steps()
    profile_sources(enable=False)
    take_steps()
    assert recorder.seen == ["read"]


def test_a_profiler_chosen_twice_runs_once_per_step(recorder: Recorder) -> None:
    set_profiles({"*": [recorder], "filter": [recorder]})
    with profile(recorder):
        step_done("filter", "f", 1)
    assert recorder.seen == ["f"]


@pytest.mark.parametrize("block", [profile, force_profile])
def test_only_the_last_step_of_a_block_is_checked_when_it_has_ended(
    block: Callable[..., Any], recorder: Recorder
) -> None:
    with block(recorder, only="last"):
        take_steps()
        assert recorder.seen == []
    assert recorder.seen == ["select"]


def test_nothing_is_checked_after_a_block_that_failed(recorder: Recorder) -> None:
    block = profile(recorder, only="last")
    block.__enter__()
    take_steps()
    block.__exit__(KeyError, KeyError(), None)
    assert recorder.seen == []


@pytest.mark.parametrize("block", [profile, force_profile])
def test_wrong_use_is_refused_at_once(block: Callable[..., Any], recorder: Recorder) -> None:
    with pytest.raises(ValueError, match="'all' or 'last', not 'first'"):
        block(recorder, only="first")
    with pytest.raises(TypeError, match="not a profiler"):
        block("expect_x")
    with pytest.raises(TypeError, match="not a profiler"):
        set_profiles({"*": ["expect_x"]})  # type: ignore[list-item]  # the mistake


def test_profiles_can_be_read_and_replaced(recorder: Recorder) -> None:
    set_profiles({"*": [recorder]})
    assert get_profiles() == {"*": [recorder]}
    set_profiles()
    assert get_profiles() == {}


@pytest.mark.expects_guarded_fault
def test_a_profiler_that_fails_reaches_nobody(swallowed_faults_fail: list[Exception]) -> None:
    class Broken(Recorder):
        def evaluate(self, frame: Any, node: int) -> list[Expectation]:
            raise KeyError(frame, node)

    with profile(Broken()):
        take_steps()
    assert [type(fault) for fault in swallowed_faults_fail] == [KeyError] * len(STEPS)


def test_threads_may_share_a_block(recorder: Recorder) -> None:
    """Each is inside on its own, whoever leaves first."""
    block = profile(recorder)
    inside, leave = threading.Barrier(2, timeout=10), threading.Barrier(2, timeout=10)

    def work(node: int) -> None:
        with block:
            inside.wait()
            step_done("filter", "frame", node)
            leave.wait()
        step_done("filter", "frame", node + 100)

    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(work, node) for node in (1, 2)]:
            done.result()
    assert len(recorder.seen) == 2
