"""The rows that carry risks, read by the job's own session: for tables that it alone may read."""

from __future__ import annotations

from typing import Any

from conformare.capture import untracked
from conformare.fleet.stores import Row


def carrying_rows(options: Any) -> dict[str, list[Row]]:
    """Return the newest runs, what they say of risks at their sinks, and what was declared.

    Args:
        options: Of a writer with a session and tables.
    """
    from pyspark.errors import PySparkException
    from pyspark.sql import functions as F

    session = options.spark
    with untracked():
        last = F.max(F.struct("ts", "run_id", "emission_id"))
        by_pipeline = session.table(options.identifier("runs")).groupBy("pipeline", "env")
        newest = by_pipeline.agg(last.alias("last")).select("pipeline", "env", "last.*")
        at_sinks = session.table(options.identifier("sink_risks"))
        tables = {
            "runs": _rows(newest),
            "sink_risks": _rows(
                at_sinks.join(newest, ["pipeline", "run_id", "emission_id"], "leftsemi")
            ),
        }
        try:
            tables["source_risks"] = _rows(session.table(options.identifier("source_risks")))
        except PySparkException:
            tables["source_risks"] = []  # tables of an earlier release have none
    return tables


def _rows(frame: Any) -> list[Row]:
    return [row.asDict() for row in frame.collect()]
