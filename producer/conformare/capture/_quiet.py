"""Keeping what libraries log of our own calls out of the job's log: they quote rows and statements."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_LOGGERS = ("DataFrameQueryContextLogger", "SQLQueryContextLogger")

_ours: ContextVar[bool] = ContextVar("conformare_quiet", default=False)


class _NotOurs(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:  # noqa: ARG002 - it is about who logs
        return not _ours.get()


_NOT_OURS = _NotOurs()


@contextmanager
def quiet(*loggers: logging.Logger) -> Iterator[None]:
    """Let loggers say nothing of the block; what other threads have to say, they say."""
    for logger in loggers:
        logger.addFilter(_NOT_OURS)
    token = _ours.set(True)
    try:
        yield
    finally:
        _ours.reset(token)


@contextmanager
def spark_quiet() -> Iterator[None]:
    """Let Spark log no exception of the block, which is caught."""
    try:
        from pyspark.logger import PySparkLogger
    except ImportError:  # before Spark 4, which logs none
        yield
        return
    with quiet(*map(PySparkLogger.getLogger, _LOGGERS)):
        yield
