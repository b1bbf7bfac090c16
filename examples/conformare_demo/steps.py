"""The steps of the demo between its start and its end: record, land, replay."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import TemporaryDirectory

from pyspark.sql import SparkSession

import conformare as cf
from conformare_demo.errors import ReplayChangedError, UndeliveredError
from conformare_demo.findings import table_files
from conformare_sink.landing.report import BatchReport
from conformare_sink.options import SinkOptions
from conformare_sink.stream.replay import ReplayReport, Selection, replay
from conformare_sink.stream.stream import SinkStream

FLUSH_SECONDS = 30.0


@contextmanager
def recording_to(bootstrap_servers: str) -> Iterator[None]:
    """Record the runs of the block through Kafka; Spark is tracked no longer when it ends.

    Args:
        bootstrap_servers: The broker.
    """
    # Not the user's own spool: what waits there for a broker of this address is not the demo's.
    with TemporaryDirectory(prefix="conformare-demo-") as spool:
        cf.configure_store(writer="kafka", bootstrap_servers=bootstrap_servers, spool_dir=spool)
        try:
            yield
        finally:
            # The sink works in the same session: what it does is no part of the pipeline.
            cf.trackSpark(enable=False)


def flush_runs() -> None:
    """Wait until the broker has taken every run.

    Raises:
        UndeliveredError: It has not, in time.
    """
    undelivered = cf.flush(FLUSH_SECONDS)
    if undelivered:
        raise UndeliveredError(
            f"{undelivered} run(s) were not delivered to Kafka within {FLUSH_SECONDS:g} s"
        )


def land(spark: SparkSession, options: SinkOptions) -> None:
    """Run the sink until it has caught up.

    Args:
        spark: The session.
        options: Where from and where to.
    """
    SinkStream(spark, options, _say_nothing).run_once()


def replay_all(spark: SparkSession, options: SinkOptions) -> tuple[ReplayReport, int]:
    """Replay the topics into the lake that has their runs.

    Args:
        spark: The session.
        options: Where from and where to.

    Returns:
        The report, and how many tables have the files that they had before: all of them.

    Raises:
        ReplayChangedError: Some have others.
    """
    before = table_files(options.lake)
    report = replay(spark, options, Selection(), on_batch=_say_nothing)
    after = table_files(options.lake)
    changed = [table for table, files in before.items() if after[table] != files]
    if changed or report.landed:
        raise ReplayChangedError(
            f"the replay changed {options.lake}: {report.landed} run(s) landed again, tables "
            f"written: {', '.join(changed) or 'none'}"
        )
    return report, len(after)


def _say_nothing(_: BatchReport) -> None:
    """Take no notice of a batch: the demo shows what has landed."""
