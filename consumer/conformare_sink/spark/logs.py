"""What Spark's Java writes to the terminal: warnings, without those that every start repeats."""

from __future__ import annotations

from contextlib import suppress
from importlib.resources import files
from typing import Any

from py4j.protocol import Py4JError

CONFIGURATION = str(files("conformare_sink.spark") / "log4j2.properties")
"""File of Log4j's configuration."""

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
