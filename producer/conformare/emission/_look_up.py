"""Whether the lake has a run: read from the job, where the job can read it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any

from conformare.capture import untracked
from conformare.emission._settings import KafkaOptions
from conformare_schemas import path_identifier, table_identifier, table_path

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
    answers: list[bool] = []

    def look() -> None:
        try:
            answers.append(_look_up(options)(pipeline, run_id))
        except Exception as exc:  # noqa: BLE001 - storage fails in ways of its own
            # Not what it says: it may quote a location with its credentials.
            logger.warning(
                "conformare: the lake cannot be looked at for run %r (%s); it is recorded",
                run_id,
                type(exc).__name__,
            )

    # On a thread of its own, for a store that does not answer has no time-out that we could set.
    thread = threading.Thread(target=look, name="conformare-look-up", daemon=True)
    thread.start()
    thread.join(LOOK_UP_SECONDS)
    if thread.is_alive():
        logger.warning(
            "conformare: the lake did not answer for run %r within %g s; it is recorded",
            run_id,
            LOOK_UP_SECONDS,
        )
    return answers == [True]


def _look_up(options: KafkaOptions) -> Callable[[str, str], bool]:
    lake = str(options.lake)
    if _is_path(lake):
        try:
            import deltalake  # noqa: F401 - whether it is there
        except ImportError:
            if options.spark is None:
                raise
        else:
            return lambda pipeline, run_id: _by_deltalake(lake, pipeline, run_id)
        identifier = path_identifier(lake, "runs")
    else:
        identifier = ".".join([*(table_identifier(part) for part in lake.split(".")), "`runs`"])
    return lambda pipeline, run_id: _by_spark(options.spark, identifier, pipeline, run_id)


def _is_path(lake: str) -> bool:
    return "/" in lake or "\\" in lake


def _by_deltalake(lake: str, pipeline: str, run_id: str) -> bool:
    from deltalake import DeltaTable, QueryBuilder
    from deltalake.exceptions import TableNotFoundError

    try:
        table = DeltaTable(table_path(lake, "runs"))
    except TableNotFoundError:
        return False
    found = (
        QueryBuilder()
        .register("runs", table)
        .execute(
            "SELECT count(*) AS n FROM runs "  # noqa: S608 - quoted
            f"WHERE run_id = {_sql_text(run_id)} AND pipeline = {_sql_text(pipeline)}"
        )
        .read_all()
    )
    return bool(found["n"][0].as_py())


def _by_spark(spark: Any, identifier: str, pipeline: str, run_id: str) -> bool:
    from pyspark.sql import functions as F

    with untracked():
        rows = spark.table(identifier).where(
            (F.col("run_id") == run_id) & (F.col("pipeline") == pipeline)
        )
        return not rows.isEmpty()


def _sql_text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
