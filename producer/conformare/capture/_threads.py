"""Threads and tasks of pools are inside the blocks that are open where they are begun.

A thread belongs to where it was started, and a task to where it was handed to its pool: the threads
of a pool serve whoever comes, and so belong to nobody. Where nothing is open, nothing happens.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Thread
from types import FrameType
from typing import Any

from conformare._guard import guard
from conformare.capture._inherited import Carried, Values, what_is_open
from conformare.capture._replaced import Replaced

Method = Callable[..., Any]

# What these start serves the whole process for as long as it lives; `InheritableThread` does not.
_SERVICES = ("py4j", "pyspark", "grpc", "conformare")
_INHERITABLE = "pyspark.util"
_METHODS_OF_THREAD_POOLS = ("apply_async", "map", "map_async", "starmap", "starmap_async")
_LAZY_METHODS_OF_THREAD_POOLS = ("imap", "imap_unordered")
# The function itself, and what is called with its result or its exception.
_FUNCTIONS_OF_THREAD_POOLS = (0, 3, 4)
_FUNCTIONS = frozenset(("func", "callback", "error_callback"))


class _Run:
    """Stands for the method `run` of a thread until the thread has begun."""

    def __init__(self, thread: Thread, values: Values) -> None:
        self._thread = thread
        self._own = thread.__dict__.get("run")
        self._carried = Carried(thread.run, values)
        thread.__dict__["run"] = self

    def put_back(self) -> None:
        attributes = self._thread.__dict__
        if attributes.get("run") is not self:
            return
        if self._own is None:
            del attributes["run"]
        else:
            attributes["run"] = self._own

    def __call__(self, *args: Any, **kwargs: Any) -> None:
        # Left where it is, it would keep the thread alive in a circle.
        self.put_back()
        self._carried(*args, **kwargs)


def _is_service(starter: FrameType) -> bool:
    module = str(starter.f_globals.get("__name__"))
    return module.partition(".")[0] in _SERVICES and module != _INHERITABLE


def _starting(original: Method) -> Method:
    """Wrap the start of a thread, also of one whose class has a `run` of its own."""

    @functools.wraps(original)
    def start(self: Thread) -> None:
        values = what_is_open() if _replaced else None
        if values is None:
            original(self)
            return
        run = None
        with guard:
            if not _is_service(sys._getframe(1)):  # noqa: SLF001 - the only way to who starts it
                run = _Run(self, values)
        if run is None:
            Carried(original)(self)
            return
        try:
            original(self)
        except BaseException:
            run.put_back()
            raise

    return start


def _handing_over(original: Method, positions: tuple[int, ...] = (0,)) -> Method:
    """Wrap a method that is given functions, which run in a thread of somebody else's.

    Args:
        original: The method.
        positions: Where the functions are among the positional arguments.
    """

    @functools.wraps(original)
    def method(self: Any, /, *args: Any, **kwargs: Any) -> Any:
        values = what_is_open() if _replaced else None
        if values is not None:
            args = tuple(
                Carried(value, values) if position in positions and callable(value) else value
                for position, value in enumerate(args)
            )
            for name in kwargs.keys() & _FUNCTIONS:
                if callable(kwargs[name]):
                    kwargs[name] = Carried(kwargs[name], values)
        return original(self, *args, **kwargs)

    return method


def _handing_over_with_callbacks(original: Method) -> Method:
    return _handing_over(original, _FUNCTIONS_OF_THREAD_POOLS)


def _drawing(original: Method) -> Method:
    """Wrap a method of a pool whose threads draw from an iterable of the user's, one by one."""

    @functools.wraps(original)
    def method(self: Any, /, *args: Any, **kwargs: Any) -> Any:
        values = what_is_open() if _replaced else None
        if values is not None:
            if "iterable" in kwargs:
                kwargs["iterable"] = _drawn(kwargs["iterable"], values)
            elif len(args) > 1:
                args = (args[0], _drawn(args[1], values), *args[2:])
        return original(self, *args, **kwargs)

    return method


def _drawn(iterable: Iterable[Any], values: Values) -> Iterator[Any]:
    iterator = Carried(iter, values)(iterable)
    following = Carried(next, values)
    while True:
        try:
            item = following(iterator)
        except StopIteration:
            return
        yield item


def _outside(original: Method) -> Method:
    """Wrap a method that starts threads which serve whoever comes."""

    @functools.wraps(original)
    def method(self: Any, /, *args: Any, **kwargs: Any) -> Any:
        if not _replaced or what_is_open() is None:
            return original(self, *args, **kwargs)
        return Carried(original)(self, *args, **kwargs)

    return method


_replaced: list[Replaced] = []


def _replace(owner: type, method: str, *wrappers: Callable[[Method], Method]) -> None:
    original = replacement = getattr(owner, method)
    for wrap in wrappers:
        replacement = wrap(replacement)
    _replaced.append(Replaced.install(owner, method, original, replacement))


def follow_threads() -> None:
    """Let threads and tasks of pools be inside what is open where they are begun."""
    from multiprocessing.pool import ThreadPool

    if _replaced:
        return
    _replace(Thread, "start", _starting)
    # A pool starts its threads when it is made, or when there is something to do.
    _replace(ThreadPoolExecutor, "submit", _outside, _handing_over)
    _replace(Future, "add_done_callback", _handing_over)
    _replace(ThreadPool, "__init__", _outside)
    for method in _METHODS_OF_THREAD_POOLS:
        _replace(ThreadPool, method, _handing_over_with_callbacks)
    for method in _LAZY_METHODS_OF_THREAD_POOLS:
        _replace(ThreadPool, method, _handing_over, _drawing)


def leave_threads() -> None:
    """Put back what `follow_threads` has replaced."""
    while _replaced:
        _replaced.pop().undo()
