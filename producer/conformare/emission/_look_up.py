"""Whether the lake has a run: read from the job, where the job can read it."""

from __future__ import annotations

import logging
from typing import Any

from conformare.capture import untracked
from conformare.emission.settings import KafkaOptions
from conformare.reader import StoreReadError, asked, has_reader, within
from conformare_schemas import table_path

logger = logging.getLogger("conformare")

LOOK_UP_SECONDS = 10.0
"""How long a job waits for its lake, at most."""


def lake_has_run(options: KafkaOptions, pipeline: str, run_id: str) -> bool:
    """Return whether the lake is known to have a run; False where that cannot be found out.

    Recording a run that is there already does no harm: the sink keeps the first.

    Args:
        options: Names the lake, if any.
        pipeline: Identity of the pipeline.
        run_id: Identity of the run within it.
    """
    if options.lake is None:
        return False
    try:
        return within(LOOK_UP_SECONDS, lambda: _look_up(options, pipeline, run_id))
    except StoreReadError as exc:
        logger.warning(
            "conformare: the lake cannot be looked at for run %r (%s); it is recorded", run_id, exc
        )
        return False


def _look_up(options: KafkaOptions, pipeline: str, run_id: str) -> bool:
    folder = options.lake_folder
    if folder is not None and has_reader():
        return _by_deltalake(folder, pipeline, run_id)
    if folder is not None and options.spark is None:
        raise StoreReadError("deltalake is not installed")
    return _by_spark(options.spark, options.identifier("runs"), pipeline, run_id)


def _by_deltalake(lake: str, pipeline: str, run_id: str) -> bool:
    query = (
        "SELECT count(*) FROM runs "  # noqa: S608 - quoted
        f"WHERE run_id = {_sql_text(run_id)} AND pipeline = {_sql_text(pipeline)}"
    )
    tables = {"runs": table_path(lake, "runs")}
    return any(count for (count,) in asked("query", LOOK_UP_SECONDS, tables=tables, query=query))


def _by_spark(spark: Any, identifier: str, pipeline: str, run_id: str) -> bool:
    from pyspark.sql import functions as F

    with untracked():
        rows = spark.table(identifier).where(
            (F.col("run_id") == run_id) & (F.col("pipeline") == pipeline)
        )
        return not rows.isEmpty()


def _sql_text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
