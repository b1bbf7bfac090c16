"""What the demo starts and always stops again: the broker and the Spark session."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timezone
from pathlib import Path

from pyspark.sql import SparkSession

from conformare_demo.interruption import ending_on_request, held_back
from conformare_sink.broker.broker import EmbeddedBroker
from conformare_sink.broker.ports import free_port
from conformare_sink.cli._console import show_cursor
from conformare_sink.errors import BrokerNotRunningError
from conformare_sink.spark.process import end_spark
from conformare_sink.spark.session import build_session


def new_folder(root: Path) -> Path:
    """Make a folder of this demo's own: what an earlier one has shown stays as it was."""
    root.mkdir(parents=True, exist_ok=True)
    now = datetime.now(timezone.utc)
    return Path(tempfile.mkdtemp(prefix=f"{now:%Y%m%d-%H%M%S}-", dir=root))


@contextmanager
def running_broker(folder: Path) -> Iterator[EmbeddedBroker]:
    """Run a broker for as long as the block takes.

    Args:
        folder: Its data; deleted when it has served, kept with its log when it did not start.
    """
    broker = EmbeddedBroker(folder, free_port())

    def stop() -> None:
        show_cursor()
        with suppress(BrokerNotRunningError):
            broker.stop()
        shutil.rmtree(folder, ignore_errors=True)

    with ending_on_request(stop):
        with held_back():
            broker.start()
        try:
            yield broker
        finally:
            stop()


@contextmanager
def running_spark() -> Iterator[SparkSession]:
    """Run a Spark session for as long as the block takes."""
    # Broken off while it starts, Spark would leave a Java process behind; and it brings a handler
    # of Ctrl-C of its own.
    with held_back():
        spark = build_session("conformare-demo", short_lived=True)
    try:
        # Such as those about job groups that have ended already: nothing that a viewer could act on.
        spark.sparkContext.setLogLevel("ERROR")
        yield spark
    finally:
        end_spark(spark)
