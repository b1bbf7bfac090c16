"""What Spark's Java writes to the terminal, and what Python's log says of the calls to it.

Java writes warnings, without those that every start repeats.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.resources import files
from typing import Any

from py4j.protocol import Py4JError

CONFIGURATION = str(files("conformare_sink.spark") / "log4j2.properties")
"""File of Log4j's configuration."""

_PY4J_LOGS = tuple(map(logging.getLogger, ("py4j.clientserver", "py4j.java_gateway")))
_SPARKS_OWN = "org/apache/spark/log4j2-defaults.properties"


def quieten(jvm: Any) -> None:
    """Configure the log of a Java process that runs already, where nobody else has.

    Args:
        jvm: py4j's view of the process.
    """
    # A platform may not let us; then its log is its own affair.
    with suppress(Py4JError):
        # Spark would otherwise put its own in the place of ours with the first line that it logs.
        jvm.org.apache.spark.SparkConf(False).initializeLogIfNecessary(False, True)
        log4j = jvm.org.apache.logging.log4j
        found = log4j.LogManager.getContext(False).getConfiguration()
        source = found.getConfigurationSource().getLocation()
        nobodys = found.getClass().getSimpleName() == "DefaultConfiguration"
        if nobodys or (source is not None and source.endswith(_SPARKS_OWN)):
            log4j.core.config.Configurator.reconfigure(jvm.java.io.File(CONFIGURATION).toURI())


@contextmanager
def untold() -> Iterator[None]:
    """Keep what this thread tells Java meanwhile out of Python's log.

    At the level DEBUG, py4j logs each call with its arguments, and some are passwords.
    """
    others = _OfOtherThreads()
    for log in _PY4J_LOGS:
        log.addFilter(others)
    try:
        yield
    finally:
        for log in _PY4J_LOGS:
            log.removeFilter(others)


class _OfOtherThreads(logging.Filter):
    """Lets through what other threads than the one that made it log."""

    def __init__(self) -> None:
        super().__init__()
        self._thread = threading.get_ident()

    def filter(self, record: logging.LogRecord) -> bool:
        return record.thread != self._thread
