"""Handing a frame to Great Expectations without leaving a trace in the user's use of it."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

from conformare._process_lock import ProcessLock
from conformare.capture._quiet import spark_quiet
from conformare.capture.source._kinds import is_data_frame

_NAME = "conformare"

# Great Expectations keeps the current project, and Python the warning filters, per process.
_one_at_a_time = ProcessLock()


@contextmanager
def batch_of(frame: Any) -> Iterator[Any]:
    """Make a frame a batch of Great Expectations, in a project of its own.

    All of it is thrown away with the block: a source that lived on would keep the frame alive, and
    would still hold the session of a frame whose session has ended.

    Args:
        frame: A frame of Spark, checked by Spark where its rows are, or one of pandas.

    Raises:
        ImportError: Great Expectations is not installed.
        TypeError: It is neither.
    """
    if not _is_pandas(frame) and not is_data_frame(frame):
        # Asked for a source of Spark, Great Expectations would start a Spark of its own.
        raise TypeError(f"{type(frame).__name__} is not a frame of Spark or pandas")
    with _one_at_a_time, _quietly(), spark_quiet():
        context = _project()
        with _as_current(context):
            if _is_pandas(frame):
                source = context.data_sources.add_pandas(_NAME)
            else:
                # Left on, it would persist the user's frame and so change the plans made from it.
                source = context.data_sources.add_spark(_NAME, persist=False)
            asset = source.add_dataframe_asset(name=_NAME)
            definition = asset.add_batch_definition_whole_dataframe(_NAME)
            yield definition.get_batch({"dataframe": frame})


def _is_pandas(frame: Any) -> bool:
    return any(cls.__module__.partition(".")[0] == "pandas" for cls in type(frame).__mro__)


def _project() -> Any:
    """Make a project in memory; `get_context` would make it the current one of the process."""
    from great_expectations.data_context.data_context.ephemeral_data_context import (
        EphemeralDataContext,
    )
    from great_expectations.data_context.types.base import (
        DataContextConfig,
        InMemoryStoreBackendDefaults,
    )

    settings: dict[str, Any] = {
        "store_backend_defaults": InMemoryStoreBackendDefaults(),
        "analytics_enabled": False,
        "progress_bars": {"globally": False, "metric_calculations": False},
    }
    return EphemeralDataContext(project_config=DataContextConfig(**settings))


@contextmanager
def _as_current(context: Any) -> Iterator[None]:
    """Have a current project during the block: the user's wherever that will do.

    Threads of the user may work with theirs at the same time, so it is replaced only for versions
    in which a batch does not know its own project.
    """
    from great_expectations.data_context.data_context.context_factory import project_manager

    def current() -> Any:
        # It has no public way to ask whether there is one.
        return getattr(project_manager, "_ProjectManager__project", None)

    users = current()
    if users is not None and find_spec("great_expectations.core.owner_resolution") is not None:
        yield
        return
    project_manager.set_project(context)
    try:
        yield
    finally:
        # One that a thread of the user has made meanwhile stays.
        if current() is context:
            project_manager.set_project(users)


@contextmanager
def _quietly() -> Iterator[None]:
    """Keep the process's handling of warnings as it is, whatever Great Expectations does to it."""
    captured = getattr(logging, "_warnings_showwarning", None) is not None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield
        finally:
            if not captured:
                logging.captureWarnings(capture=False)
