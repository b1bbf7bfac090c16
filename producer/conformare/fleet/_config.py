"""From the configuration of a writer to where its runs can be read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from conformare._errors import FleetError
from conformare.capture import untracked
from conformare.writers import writer_options

_LAST_NAME = re.compile(r"(.*)/([^/]*)runs/*")


class ReadPlace(NamedTuple):
    """Where runs can be read."""

    place: str
    """A folder, or the URL of one."""
    table_prefix: str = ""
    """What the names of the tables begin with."""


def read_place(config: Mapping[str, Any]) -> ReadPlace:
    """Return where a writer's runs can be read.

    Args:
        config: Keywords of `configure_store`; what is not given is taken from the environment.

    Raises:
        FleetError: The writer keeps no runs that can be read back, or it is not told where.
        StoreConfigurationError: The writer is unknown, or an option does not fit.
    """
    return place_of_options(writer_options(config))


def place_of_options(options: Any) -> ReadPlace:
    """Return where the runs of a writer with some options can be read.

    Args:
        options: The options of a writer.

    Raises:
        FleetError: As `read_place` raises it.
    """
    if options.writer in ("json", "parquet"):
        return ReadPlace(options.path)
    if options.writer not in ("spark_table", "kafka"):
        raise FleetError(f"runs of the writer {options.writer!r} cannot be read back")
    if options.lake is None and options.writer == "kafka":
        raise FleetError("the configuration does not say where the lake is: give lake=...")
    folder = options.lake if options.writer == "spark_table" else options.lake_folder
    if folder is not None:
        return ReadPlace(folder)
    if options.spark is None:
        raise FleetError("tables in a catalog are found by the job's session: give spark=...")
    return _of_catalog(options.spark, options.identifier("runs"))


def _of_catalog(spark: Any, runs: str) -> ReadPlace:
    """Return the folder of a catalog's tables, which the job's own session knows."""
    with untracked():
        (detail,) = spark.sql(f"DESCRIBE DETAIL {runs}").collect()
    found = _LAST_NAME.fullmatch(detail["location"])
    if found is None:
        raise FleetError(
            f"the table of runs is at {detail['location']}, which does not end with its name: give "
            "the location of the tables"
        )
    return ReadPlace(found[1], found[2])
