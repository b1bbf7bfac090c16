"""Switching the tracking of Spark on and off: methods replaced in place, and put back."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any

from conformare._guard import guard
from conformare._process_lock import ProcessLock
from conformare.capture._replaced import Replaced
from conformare.capture._store import store
from conformare.capture._threads import follow_threads, leave_threads
from conformare.capture._untracked import is_suspended, untracked
from conformare.capture.checks._caches import release_cache
from conformare.capture.spark._delta_tables import (
    pass_on_table,
    record_delta_clone,
    record_delta_merge,
    record_delta_read,
    record_delta_write,
    remember_table,
)
from conformare.capture.spark._queries import record_session_read
from conformare.capture.spark._reads import record_read, remember_options
from conformare.capture.spark._steps import (
    Call,
    record_aggregation,
    record_cogroup,
    record_grouping,
    record_pivot,
    record_step,
)
from conformare.capture.spark._streams import record_stream_write, tracked_batch_function
from conformare.capture.spark._table import TRACKED, Kind, Tracked
from conformare.capture.spark._unwritten import KINDS as UNWRITTEN
from conformare.capture.spark._unwritten import leaves_all_as_it_is
from conformare.capture.spark._views import record_dropped_view, record_view
from conformare.capture.spark._writes import (
    record_merge_into,
    record_write,
    record_write_to,
    remember_clause,
    remember_opened,
)

Method = Callable[..., Any]

_CONNECT = "pyspark.sql.connect.dataframe"
# Checks that the user runs himself are made of steps, which are none of the pipeline's.
_CHECKS = "great_expectations"

_RECORDERS: dict[Kind, Callable[[Call], None] | None] = {
    Kind.STEP: record_step,
    Kind.GROUPING: record_grouping,
    Kind.PIVOT: record_pivot,
    Kind.AGGREGATION: record_aggregation,
    Kind.COGROUP: record_cogroup,
    Kind.SILENT: None,
    Kind.READ: record_read,
    Kind.SESSION_READ: record_session_read,
    Kind.VIEW: record_view,
    Kind.DROP_VIEW: record_dropped_view,
    Kind.OPENS_WRITE: remember_opened,
    Kind.WRITE: record_write,
    Kind.WRITE_TO: record_write_to,
    Kind.CLAUSE: remember_clause,
    Kind.MERGE_INTO: record_merge_into,
    Kind.STREAM_WRITE: record_stream_write,
    Kind.DELTA_OPEN: remember_table,
    Kind.DELTA_FOLLOW: pass_on_table,
    Kind.DELTA_READ: record_delta_read,
    Kind.DELTA_WRITE: record_delta_write,
    Kind.DELTA_MERGE: record_delta_merge,
    Kind.DELTA_CLONE: record_delta_clone,
}


_lock = ProcessLock()
_installed: dict[Tracked, Replaced] = {}


def _recording(tracked: Tracked, original: Method) -> Method:
    """Wrap a method whose outermost call is recorded once it has returned."""
    record = _RECORDERS[tracked.kind]

    @functools.wraps(original)
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        if not _installed or is_suspended():
            return original(self, *args, **kwargs)
        is_left = False
        if tracked.kind in UNWRITTEN:
            with guard, untracked():
                is_left = leaves_all_as_it_is(Call(tracked, self, args, kwargs, None, None))
        with untracked():
            result = original(self, *args, **kwargs)
        if record is not None and not is_left:
            with guard, untracked():
                caller = sys._getframe(1)  # noqa: SLF001 - the only way to the caller's source
                if caller.f_globals.get("__name__", "").partition(".")[0] != _CHECKS:
                    record(Call(tracked, self, args, kwargs, result, caller))
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


def _handing_over(_tracked: Tracked, original: Method) -> Method:
    """Wrap a method that is given a function which Spark calls with each micro-batch."""

    @functools.wraps(original)
    def method(self: Any, func: Any) -> Any:
        if _installed and not is_suspended():
            with guard:
                func = tracked_batch_function(self, func)
        return original(self, func)

    return method


def _before_stop(_tracked: Tracked, original: Method) -> Method:
    """Wrap the end of a session: afterwards nobody can look up columns any more."""

    @functools.wraps(original)
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        if _installed:
            with guard:
                store.let_go()
        return original(self, *args, **kwargs)

    return method


def _after_start(_tracked: Tracked, original: Method) -> Method:
    """Wrap the beginning of a session, which may be the first of Connect."""

    @functools.wraps(original)
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        session = original(self, *args, **kwargs)
        if _installed:
            with guard, _lock:
                _install_missing()
        return session

    return method


_WRAPPERS: dict[Kind, Callable[[Tracked, Method], Method]] = {
    Kind.OPTION: _remembering,
    Kind.BATCH_FUNCTION: _handing_over,
    Kind.SESSION: _after_start,
    Kind.STOP: _before_stop,
}


def _class_of(tracked: Tracked) -> type | None:
    """Return the class of a tracked method, None if the installed Spark does not have it."""
    # Connect's modules are heavy: where no session of it has loaded them, nobody calls them.
    if tracked.connect and _CONNECT not in sys.modules:
        return None
    for module in tracked.modules:
        try:
            owner: Any = import_module(module)
            for name in tracked.owner.split("."):
                owner = getattr(owner, name)
        except Exception:  # noqa: BLE001, S112 - a package that is not there, or of no use as it is
            continue
        found: type = owner
        return found
    return None


def _install(tracked: Tracked) -> Replaced | None:
    """Replace one method; None if the installed Spark does not have it."""
    owner = _class_of(tracked)
    if owner is None:
        return None
    described = next(
        (c.__dict__[tracked.method] for c in owner.__mro__ if tracked.method in c.__dict__), None
    )
    wrap = functools.partial(_WRAPPERS.get(tracked.kind, _recording), tracked)
    replacement: Any
    if described is None:
        return None
    if isinstance(described, property) and described.fget is not None:
        replacement = property(wrap(described.fget), doc=described.__doc__)
    elif isinstance(described, classmethod):
        replacement = classmethod(wrap(described.__func__))
    else:
        replacement = wrap(described)
    return Replaced.install(owner, tracked.method, described, replacement)


def _install_missing() -> None:
    for tracked in TRACKED:
        if tracked not in _installed:
            done = _install(tracked)
            if done is not None:
                _installed[tracked] = done


def trackSpark(enable: bool = True) -> None:
    """Start, or stop, capturing what this process does with Spark.

    What was captured stays. Calling it twice changes nothing.

    Args:
        enable: False puts the methods of Spark back as they were.

    Raises:
        ImportError: Spark is not installed.
    """
    with _lock:
        if enable:
            import_module("pyspark.sql")
            _install_missing()
            follow_threads()
        else:
            leave_threads()
            for done in reversed(_installed.values()):
                done.undo()
            _installed.clear()


def restore() -> None:
    """Stop all tracking and unpersist what `force_profile` persisted. What was captured stays."""
    trackSpark(enable=False)
    release_cache()
