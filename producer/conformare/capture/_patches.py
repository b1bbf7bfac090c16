"""Switching the tracking of Spark on and off: methods replaced in place, and put back."""

from __future__ import annotations

import functools
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from conformare._guard import guard
from conformare.capture._reads import record_read, record_session_read, remember_options
from conformare.capture._steps import (
    Call,
    record_aggregation,
    record_cogroup,
    record_grouping,
    record_pivot,
    record_step,
)
from conformare.capture._store import store
from conformare.capture._table import TRACKED, Kind, Tracked
from conformare.capture._untracked import is_suspended, untracked
from conformare.capture._writes import record_write

Method = Callable[..., Any]

_RECORDERS: dict[Kind, Callable[[Call], None] | None] = {
    Kind.STEP: record_step,
    Kind.GROUPING: record_grouping,
    Kind.PIVOT: record_pivot,
    Kind.AGGREGATION: record_aggregation,
    Kind.COGROUP: record_cogroup,
    Kind.SILENT: None,
    Kind.READ: record_read,
    Kind.SESSION_READ: record_session_read,
    Kind.WRITE: record_write,
}


@dataclass(frozen=True)
class _Installed:
    """One replaced method, and all that is needed to put the original back."""

    owner: type
    method: str
    original: Method
    replacement: Method
    inherited: bool

    def undo(self) -> None:
        # Whoever has replaced the method after us keeps it; ours inside only passes calls on.
        if self.owner.__dict__.get(self.method) is not self.replacement:
            return
        if self.inherited:
            delattr(self.owner, self.method)
        else:
            setattr(self.owner, self.method, self.original)


_lock = threading.Lock()
_installed: list[_Installed] = []


def _recording(tracked: Tracked, original: Method) -> Method:
    """Wrap a method whose outermost call is recorded once it has returned."""
    record = _RECORDERS[tracked.kind]

    @functools.wraps(original)
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        if not _installed or is_suspended():
            return original(self, *args, **kwargs)
        with untracked():
            result = original(self, *args, **kwargs)
        if record is not None:
            with guard, untracked():
                record(Call(tracked, self, args, kwargs, result, sys._getframe(1)))  # noqa: SLF001 - the only way to the caller's source
        return result

    return method


def _remembering(tracked: Tracked, original: Method) -> Method:
    """Wrap a method that sets an option, also where Spark itself calls it."""

    @functools.wraps(original)
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        result = original(self, *args, **kwargs)
        if _installed:
            with guard:
                remember_options(Call(tracked, self, args, kwargs, result, None))
        return result

    return method


def _before_stop(_tracked: Tracked, original: Method) -> Method:
    """Wrap the end of a session: afterwards nobody can look up columns any more."""

    @functools.wraps(original)
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        if _installed:
            with guard:
                store.resolve()
        return original(self, *args, **kwargs)

    return method


_WRAPPERS: dict[Kind, Callable[[Tracked, Method], Method]] = {
    Kind.OPTION: _remembering,
    Kind.STOP: _before_stop,
}


def _install(tracked: Tracked) -> _Installed | None:
    """Replace one method; None if the installed Spark does not have it."""
    try:
        owner: type = getattr(import_module(tracked.module), tracked.owner)
        original: Method = getattr(owner, tracked.method)
    except (ImportError, AttributeError):
        return None
    inherited = tracked.method not in owner.__dict__
    replacement = _WRAPPERS.get(tracked.kind, _recording)(tracked, original)
    setattr(owner, tracked.method, replacement)
    return _Installed(owner, tracked.method, original, replacement, inherited)


def trackSpark(enable: bool = True) -> None:
    """Record from now on what every Spark frame of the process is made of, or stop doing so.

    What has been recorded stays. Calling it twice changes nothing.

    Args:
        enable: False puts the methods of Spark back as they were.

    Raises:
        ImportError: Spark is not installed.
    """
    with _lock:
        if enable and not _installed:
            import_module("pyspark.sql")
            _installed.extend(done for done in map(_install, TRACKED) if done is not None)
        elif not enable:
            for done in reversed(_installed):
                done.undo()
            _installed.clear()


def restore() -> None:
    """Stop all tracking; what has been recorded stays."""
    trackSpark(enable=False)
