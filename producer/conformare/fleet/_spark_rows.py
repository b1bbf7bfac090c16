"""The rows that carry risks, read by the job's own session: for tables that it alone may read."""

from __future__ import annotations

from typing import Any

from conformare.capture import untracked
from conformare.fleet.stores import Row

_IDENTITY = ["pipeline", "run_id", "emission_id"]


def carrying_rows(options: Any) -> dict[str, list[Row]]:
    """Return the newest runs, what they say of risks at their sinks, and what was declared.

    Args:
        options: Of a writer with a session and tables.
    """
    from pyspark.errors import PySparkException
    from pyspark.sql import functions as F

    session = options.spark
    with untracked():
        runs = session.table(options.identifier("runs"))
        last = F.max(F.struct("ts", "run_id", "emission_id")).alias("last")
        newest = runs.groupBy("pipeline", "env").agg(last).select("pipeline", "last.*")
        tables = {
            grain: _rows(
                session.table(options.identifier(grain)).join(newest, _IDENTITY, "leftsemi")
            )
            for grain in ("runs", "sink_risks")
        }
        try:
            tables["source_risks"] = _rows(session.table(options.identifier("source_risks")))
        except PySparkException:
            tables["source_risks"] = []  # tables of an earlier release have none
    return tables


def _rows(frame: Any) -> list[Row]:
    return [row.asDict() for row in frame.collect()]
