"""`conformare sink`: from the topics into the lake."""

from __future__ import annotations

import logging
import re
import signal
import threading
from datetime import datetime, timezone
from typing import Annotated

import typer

from conformare_schemas import DEFAULT_TOPIC_PREFIX
from conformare_sink.cli._arguments import (
    BootstrapServers,
    Lake,
    MaxMessagesPerBatch,
    TopicPrefix,
)
from conformare_sink.cli._console import err, out, readable_errors
from conformare_sink.options import DEFAULT_MAX_MESSAGES_PER_BATCH, SinkOptions


def _interval(text: str) -> str:
    """Return an interval as Spark takes it, checked before Spark is started."""
    if not re.fullmatch(r"\d+ (millisecond|second|minute|hour|day)s?", text):
        raise typer.BadParameter(f"{text!r} is not an interval such as '2 seconds'")
    return text


@readable_errors
def sink(
    bootstrap_servers: BootstrapServers,
    lake: Lake,
    checkpoint: Annotated[
        str | None,
        typer.Option(
            envvar="CONFORMARE_CHECKPOINT",
            help="Folder of the stream's checkpoint.",
            show_default="a folder in the lake",
        ),
    ] = None,
    topic_prefix: TopicPrefix = DEFAULT_TOPIC_PREFIX,
    once: Annotated[
        bool,
        typer.Option(
            "--once",
            envvar="CONFORMARE_ONCE",
            help="Land what the topics hold now, then end.",
        ),
    ] = False,
    trigger: Annotated[
        str,
        typer.Option(
            envvar="CONFORMARE_TRIGGER",
            parser=_interval,
            metavar="INTERVAL",
            help="How often a micro-batch begins.",
        ),
    ] = "2 seconds",
    max_messages_per_batch: MaxMessagesPerBatch = DEFAULT_MAX_MESSAGES_PER_BATCH,
) -> None:
    """Read the grain topics and land whole runs in the lake, until SIGTERM or Ctrl-C."""
    # Spark takes a second to import; a wrong option should not wait for it.
    from conformare_sink.report import BatchReport
    from conformare_sink.session import build_session
    from conformare_sink.stream import SinkStream
    from conformare_sink.topics import Topics

    logging.basicConfig(format="%(message)s")
    logging.getLogger("conformare_sink").setLevel(logging.INFO)
    options = SinkOptions(
        bootstrap_servers=bootstrap_servers,
        lake=lake,
        checkpoint=checkpoint,
        topic_prefix=topic_prefix,
        max_messages_per_batch=max_messages_per_batch,
    )
    # A broker that is not there is told before Java is started.
    Topics(bootstrap_servers, topic_prefix).partitions()

    def report(batch: BatchReport) -> None:
        now = datetime.now(timezone.utc).isoformat(timespec="seconds")
        out.print(f"{now} {batch.summary()}", markup=False)

    with err.status("Starting Spark"):
        spark = build_session("conformare-sink")
    try:
        stream = SinkStream(spark, options, report)
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, lambda *_: stream.stop())
        if once:
            stream.run_once()
        else:
            out.print(f"landing runs from {bootstrap_servers} in {lake}", markup=False)
            stream.run(trigger)
    finally:
        spark.stop()
