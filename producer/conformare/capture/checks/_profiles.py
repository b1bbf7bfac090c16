"""Profilers: checks that run on the frames of chosen steps."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Literal, Protocol

from conformare._guard import guard
from conformare._process_lock import ProcessLock
from conformare._quoted import quoted
from conformare.capture._inherited import inherited
from conformare.capture._lineage import Expectation
from conformare.capture._store import store
from conformare.capture._untracked import untracked
from conformare.capture.checks._caches import persist_once

EVERY_STEP = "*"
GROUP_BY = "group_by"
READ = "read"


class Profiler(Protocol):
    """Anything that checks a frame."""

    def evaluate(self, frame: Any, node: int) -> list[Expectation]:
        """Check a frame and return the results; it never raises and keeps no rows.

        Args:
            frame: Frame to check.
            node: Number of its node.
        """


Profilers = Mapping[str, Iterable[Profiler]]

_lock = ProcessLock()
_profiles: dict[str, tuple[Profiler, ...]] = {}
_sources_too = threading.Event()


def _checked(profilers: Iterable[Any]) -> tuple[Profiler, ...]:
    """Refuse at once what could only fail later, inside a step."""
    listed = tuple(profilers)
    for profiler in listed:
        if not callable(getattr(profiler, "evaluate", None)):
            raise TypeError(
                f"{quoted(profiler)} is not a profiler; make one with greatExpectations(...)"
            )
    return listed


def set_profiles(profiles: Profilers | None = None) -> None:
    """Choose which profilers run on which steps from now on. This replaces earlier choices.

    Args:
        profiles: Operation → profilers. `"*"` stands for every step, `"group_by"` for every
            aggregation, `"read"` for every read, once `profile_sources()` was called. None or
            empty switches them off.

    Raises:
        TypeError: One of them is not a profiler.
    """
    checked = {op: _checked(profilers) for op, profilers in (profiles or {}).items()}
    with _lock:
        _profiles.clear()
        _profiles.update(checked)


def get_profiles() -> dict[str, list[Profiler]]:
    """Return which profilers run on which steps."""
    with _lock:
        return {op: list(profilers) for op, profilers in _profiles.items()}


def profile_sources(enable: bool = True) -> None:
    """Let the profilers that are chosen for reads run, or stop running, on them from now on.

    A source may be far larger than its results, so checks of reads are off by default.

    Args:
        enable: False leaves reads unchecked, as they are from the start.
    """
    if enable:
        _sources_too.set()
    else:
        _sources_too.clear()


def _matches(op: str, wanted: str) -> bool:
    if op == READ:
        return wanted == READ
    return wanted in (op, EVERY_STEP) or (wanted == GROUP_BY and op.startswith("group_by."))


class profile:  # noqa: N801 - the name is fixed by the contract
    """Run profilers on the steps of a block.

    With `only="last"` they check the result of the block's last matching step, when the block has
    ended without an exception.
    """

    # Whether frames are persisted before they are checked.
    persists = False

    def __init__(
        self,
        *profilers: Profiler,
        ops: str | Iterable[str] | None = None,
        only: Literal["all", "last"] = "all",
    ) -> None:
        """Prepare the block.

        Args:
            profilers: What to run, such as `greatExpectations(...)`.
            ops: Operations to check; None for every step, `"group_by"` for every aggregation,
                `"read"` for every read, once `profile_sources()` was called.
            only: all or last.

        Raises:
            TypeError: One of the profilers is none.
            ValueError: `only` is neither all nor last.
        """
        if only not in ("all", "last"):
            raise ValueError(f"only must be 'all' or 'last', not {quoted(only)}")
        self._profilers = _checked(profilers)
        self._ops = (ops,) if isinstance(ops, str) else tuple(ops or (EVERY_STEP,))
        self._only = only

    def __enter__(self) -> None:
        _blocks.set((*_blocks.get(), _Entered(self)))

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        # One instance may be entered by several threads and tasks, each with blocks of its own.
        blocks = list(_blocks.get())
        entered = next((e for e in reversed(blocks) if e.block is self), None)
        if entered is None:
            return
        blocks.remove(entered)
        _blocks.set(tuple(blocks) or _NOTHING_OPEN)
        if entered.last is not None and exc is None:
            _run(self._profilers, *entered.last, persist=self.persists)

    def matching(self, op: str, frame: Any, node: int, entered: _Entered) -> tuple[Profiler, ...]:
        """Return what is to run on a step now."""
        if not any(_matches(op, wanted) for wanted in self._ops):
            return ()
        if self._only == "last":
            entered.last = (frame, node)
            return ()
        return self._profilers


@dataclass(eq=False)
class _Entered:
    """A block that has been entered, and the last step in it that it is for."""

    block: profile
    last: tuple[Any, int] | None = None


class force_profile(profile):  # noqa: N801 - the name is fixed by the contract
    """Run profilers on the steps of a block and, if asked to, persist what they check.

    With `cache=True` the checks and the pipeline share one computation of each frame that is
    checked. That changes the plans of what is made from it, and memory and disk are in use until
    `release_cache()` or `restore()`.
    """

    def __init__(
        self,
        *profilers: Profiler,
        ops: str | Iterable[str] | None = None,
        sample: Any = "unset",  # noqa: ARG002 - all rows are checked, whatever is asked for
        cache: bool = False,
        only: Literal["all", "last"] = "all",
    ) -> None:
        """Prepare the block.

        Args:
            profilers: What to run, such as `greatExpectations(...)`.
            ops: Operations to check; None for every step, `"group_by"` for every aggregation,
                `"read"` for every read, once `profile_sources()` was called.
            sample: Accepted for compatibility: no sample is ever taken.
            cache: Whether to persist each frame, once, before it is checked.
            only: all or last.

        Raises:
            TypeError: One of the profilers is none.
            ValueError: `only` is neither all nor last.
        """
        super().__init__(*profilers, ops=ops, only=only)
        self.persists = cache


_NOTHING_OPEN: tuple[_Entered, ...] = ()
_blocks = inherited("conformare_profiles", _NOTHING_OPEN)


def _run(profilers: Iterable[Profiler], frame: Any, node: int, *, persist: bool = False) -> None:
    if persist:
        with guard, untracked():
            persist_once(frame)
    for profiler in profilers:
        with guard, untracked():
            checker = getattr(profiler, "identity", id(profiler))
            store.add_expectations(profiler.evaluate(frame, node), checker)


def step_done(op: str, frame: Any, node: int) -> None:
    """Run the profilers that a step asks for.

    Args:
        op: Name of the operation.
        frame: Its result.
        node: Number of the result's node.
    """
    wanted: dict[int, Profiler] = {}
    if _profiles:
        with _lock:
            for name, profilers in _profiles.items():
                if _matches(op, name):
                    wanted.update((id(profiler), profiler) for profiler in profilers)
    persist = False
    for entered in _blocks.get():
        chosen = entered.block.matching(op, frame, node, entered)
        persist = persist or (entered.block.persists and bool(chosen))
        wanted.update((id(profiler), profiler) for profiler in chosen)
    if wanted:
        _run(wanted.values(), frame, node, persist=persist)


def read_done(frame: Any, node: int) -> None:
    """Run the profilers that are chosen for reads, if sources are to be checked at all.

    Args:
        frame: What was read.
        node: Number of its node.
    """
    if _sources_too.is_set():
        step_done(READ, frame, node)
