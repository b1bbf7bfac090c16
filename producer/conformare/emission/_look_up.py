"""Whether the lake has a run: read from the job, where the job can read it."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from conformare import _fork_guard as fork_guard
from conformare.capture import untracked
from conformare.emission.settings import KafkaOptions
from conformare_schemas import table_path

logger = logging.getLogger("conformare")

LOOK_UP_SECONDS = 10.0
"""How long a job waits for its lake, at most."""

READER = Path(__file__).with_name("_lake_reader.py")


class LakeReadError(Exception):
    """deltalake cannot read the lake; the class of its fault is all that is said."""


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
            why = exc if isinstance(exc, LakeReadError) else type(exc).__name__
            logger.warning(
                "conformare: the lake cannot be looked at for run %r (%s); it is recorded",
                run_id,
                why,
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
    folder = options.lake_folder
    if folder is not None and _has_reader():
        return lambda pipeline, run_id: _by_deltalake(folder, pipeline, run_id)
    if folder is not None and options.spark is None:
        raise LakeReadError("deltalake is not installed")
    identifier = options.identifier("runs")
    return lambda pipeline, run_id: _by_spark(options.spark, identifier, pipeline, run_id)


def _has_reader() -> bool:
    """Whether this process can start another Python that has deltalake."""
    is_python = bool(sys.executable) and not getattr(sys, "frozen", False)
    return is_python and find_spec("deltalake") is not None


def _by_deltalake(lake: str, pipeline: str, run_id: str) -> bool:
    query = (
        "SELECT count(*) FROM runs "  # noqa: S608 - quoted
        f"WHERE run_id = {_sql_text(run_id)} AND pipeline = {_sql_text(pipeline)}"
    )
    return any(count for (count,) in _asked({"runs": table_path(lake, "runs")}, query))


def _asked(tables: Mapping[str, str], query: str) -> list[list[Any]]:
    """Return what a query of a lake's tables gives; nothing where one of them is not there.

    Args:
        tables: The location of each table, by the name that it has in the query.
        query: SQL.

    Raises:
        LakeReadError: The lake cannot be read.
        OSError: This process cannot start another.
    """
    question = {
        "seconds": LOOK_UP_SECONDS,
        "path": [entry for entry in sys.path if isinstance(entry, str)],
        "tables": tables,
        "query": query,
    }
    # A fork in between would leave the child with an end of a pipe that is to be closed here.
    with fork_guard.whole:
        reader = subprocess.Popen(
            [sys.executable, str(READER)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            encoding="utf-8",
            start_new_session=True,  # a Ctrl-C is the job's
        )
    with reader:
        answered, _ = reader.communicate(f"{json.dumps(question)}\n")
    if not answered:
        raise LakeReadError("no answer")
    answer = json.loads(answered)
    if "fault" in answer:
        raise LakeReadError(answer["fault"])
    rows: list[list[Any]] = answer["rows"]
    return rows


def _by_spark(spark: Any, identifier: str, pipeline: str, run_id: str) -> bool:
    from pyspark.sql import functions as F

    with untracked():
        rows = spark.table(identifier).where(
            (F.col("run_id") == run_id) & (F.col("pipeline") == pipeline)
        )
        return not rows.isEmpty()


def _sql_text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
