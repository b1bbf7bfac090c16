"""Profilers: checks that run on the frames of chosen steps."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from contextvars import ContextVar, Token
from types import TracebackType
from typing import Any, Literal, Protocol

from conformare._guard import guard
from conformare.capture._lineage import Expectation
from conformare.capture._store import store
from conformare.capture._untracked import untracked

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

_lock = threading.Lock()
_profiles: dict[str, tuple[Profiler, ...]] = {}


def _checked(profilers: Iterable[Any]) -> tuple[Profiler, ...]:
    """Refuse at once what could only fail later, inside a step."""
    listed = tuple(profilers)
    for profiler in listed:
        if not callable(getattr(profiler, "evaluate", None)):
            raise TypeError(f"{profiler!r} is no profiler; make one with greatExpectations(...)")
    return listed


def set_profiles(profiles: Profilers | None = None) -> None:
    """Say which profilers run on which steps from now on, in place of what was said before.

    Args:
        profiles: Operation → profilers. `"*"` stands for every step, `"group_by"` for every
            aggregation, `"read"` for every read. None or empty switches them off.

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


def _matches(op: str, wanted: str) -> bool:
    if op == READ:
        return wanted == READ
    return wanted in (op, EVERY_STEP) or (wanted == GROUP_BY and op.startswith("group_by."))


class profile:  # noqa: N801 - the name is fixed by the contract
    """Run profilers on the steps of a block.

    With `only="last"` they check the result of the block's last matching step, when the block has
    ended without an exception.
    """

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
                `"read"` for every read.
            only: all or last.

        Raises:
            TypeError: One of the profilers is none.
            ValueError: `only` is neither all nor last.
        """
        if only not in ("all", "last"):
            raise ValueError(f"only must be 'all' or 'last', not {only!r}")
        self._profilers = _checked(profilers)
        self._ops = (ops,) if isinstance(ops, str) else tuple(ops or (EVERY_STEP,))
        self._only = only
        self._last: tuple[Any, int] | None = None
        self._tokens: list[Token[tuple[profile, ...]]] = []

    def __enter__(self) -> None:
        self._last = None
        self._tokens.append(_blocks.set((*_blocks.get(), self)))

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        _blocks.reset(self._tokens.pop())
        last, self._last = self._last, None
        if last is not None and exc is None:
            _run(self._profilers, *last)

    def matching(self, op: str, frame: Any, node: int) -> tuple[Profiler, ...]:
        """Return what is to run on a step now."""
        if not any(_matches(op, wanted) for wanted in self._ops):
            return ()
        if self._only == "last":
            self._last = (frame, node)
            return ()
        return self._profilers


_blocks: ContextVar[tuple[profile, ...]] = ContextVar("conformare_profiles", default=())


def _run(profilers: Iterable[Profiler], frame: Any, node: int) -> None:
    for profiler in profilers:
        with guard, untracked():
            store.add_expectations(profiler.evaluate(frame, node))


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
    for block in _blocks.get():
        wanted.update((id(p), p) for p in block.matching(op, frame, node))
    if wanted:
        _run(wanted.values(), frame, node)


def read_done(frame: Any, node: int) -> None:
    """Run the profilers that a read asks for."""
    step_done(READ, frame, node)
