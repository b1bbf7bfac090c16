"""`conformare sink`: from the topics into the lake."""

from __future__ import annotations

import os
import re
import signal
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime, timedelta, timezone
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from conformare_schemas import DEFAULT_TOPIC_PREFIX
from conformare_sink.cli._arguments import (
    ENVIRONMENT,
    BootstrapServers,
    By,
    Catalog,
    KafkaSettings,
    Lake,
    MaxMessagesPerBatch,
    Schema,
    SchemaRegistrySettings,
    SchemaRegistrySubjects,
    SchemaRegistryUrl,
    Storage,
    TablePrefix,
    TopicPrefix,
    catalog_options,
    folder,
    registry_access,
)
from conformare_sink.cli._console import log_progress, readable_errors, show_line, tell, waiting
from conformare_sink.errors import OutputError
from conformare_sink.kafka.access import ANYBODY
from conformare_sink.options import (
    DEFAULT_MAX_MESSAGES_PER_BATCH,
    DEFAULT_PENDING_DAYS,
    MOST_PENDING_DAYS,
    Engine,
    SinkOptions,
)

STOP_SECONDS = 60.0
"""How long the batch that is under way may take after a signal."""
STOPPED_IN_A_BATCH = 3
LOOPBACK = "127.0.0.1"
OFF = "off"
LONGEST_INTERVAL = timedelta(days=366)


class LogFormat(str, Enum):
    """How each batch is reported."""

    TEXT = "text"
    JSON = "json"


def _interval(text: str) -> str:
    """Return an interval as Spark takes it, checked before Spark is started."""
    if not re.fullmatch(r"[0-9]{1,9} (millisecond|second|minute|hour|day)s?", text):
        raise typer.BadParameter(f"{text!r} is not an interval such as '2 seconds'")
    if _duration(text) > LONGEST_INTERVAL:
        raise typer.BadParameter(f"{text!r} is longer than {LONGEST_INTERVAL.days} days")
    return text


def _duration(interval: str) -> timedelta:
    number, unit = interval.split()
    return timedelta(**{f"{unit.rstrip('s')}s": int(number)})


def _pause(text: str) -> timedelta:
    """Return an interval; one of nothing where it is off."""
    if text == OFF:
        return timedelta()
    return _duration(_interval(text))


@contextmanager
def _asked_to_end() -> Iterator[threading.Event]:
    """An event that SIGTERM and Ctrl-C set while the block runs, which then ends in bounded time."""
    asked = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield asked  # only the main thread hears of signals
        return

    def ask(*_: object) -> None:
        asked.set()
        late = threading.Timer(STOP_SECONDS, _end_at_once)
        late.daemon = True
        late.start()

    numbers = (signal.SIGTERM, signal.SIGINT)
    before = {number: signal.signal(number, ask) for number in numbers}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@readable_errors
def sink(
    bootstrap_servers: BootstrapServers,
    lake: Lake,
    kafka_settings: KafkaSettings = ANYBODY,
    checkpoint: Annotated[
        str | None,
        typer.Option(
            envvar="CONFORMARE_CHECKPOINT",
            parser=folder,
            metavar="FOLDER",
            help="Folder of this machine in which the sink remembers its lake: one that was deleted, "
            "or is not mounted, is known by it, and a large one opens sooner.",
            show_default="none",
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
    ] = "1 second",
    max_messages_per_batch: MaxMessagesPerBatch = DEFAULT_MAX_MESSAGES_PER_BATCH,
    engine: By = Engine.AUTO,
    storage_options: Storage = ENVIRONMENT,
    catalog: Catalog = None,
    schema: Schema = None,
    table_prefix: TablePrefix = "",
    schema_registry_url: SchemaRegistryUrl = None,
    schema_registry_settings: SchemaRegistrySettings = None,
    schema_registry_subject_strategy: SchemaRegistrySubjects = "TopicName",
    metrics_port: Annotated[
        int | None,
        typer.Option(
            envvar="CONFORMARE_METRICS_PORT",
            min=0,
            max=65535,
            help="Serve /metrics, /health and /live on this port; 0 for any that is free.",
        ),
    ] = None,
    metrics_host: Annotated[
        str,
        typer.Option(envvar="CONFORMARE_METRICS_HOST", help="Address to serve them on."),
    ] = LOOPBACK,
    log_format: Annotated[
        LogFormat,
        typer.Option(envvar="CONFORMARE_LOG_FORMAT", help="How each batch is reported."),
    ] = LogFormat.TEXT,
    maintain_every: Annotated[
        timedelta,
        typer.Option(
            envvar="CONFORMARE_MAINTAIN_EVERY",
            parser=_pause,
            metavar="INTERVAL",
            help="How often the lake is maintained beside the stream; 'off' for never.",
        ),
    ] = "1 hour",  # type: ignore[assignment]  # parsed as what a user gives
    broker_timeout: Annotated[
        float | None,
        typer.Option(
            envvar="CONFORMARE_BROKER_TIMEOUT",
            min=0.1,
            max=LONGEST_INTERVAL.total_seconds(),
            metavar="SECONDS",
            help="How long to wait for a broker that is away.",
            show_default="for ever; 10 with --once",
        ),
    ] = None,
    accept_loss: Annotated[
        str | None,
        typer.Option(
            envvar="CONFORMARE_ACCEPT_LOSS",
            metavar="CODE",
            help="Accept what the sink told, with this code, when it refused to start.",
        ),
    ] = None,
    pending_days: Annotated[
        float,
        typer.Option(
            envvar="CONFORMARE_PENDING_DAYS",
            min=0.01,
            max=MOST_PENDING_DAYS,
            help="How many days an incomplete emission waits before it goes to quarantine.",
        ),
    ] = DEFAULT_PENDING_DAYS,
) -> None:
    """Read the grain topics and land whole runs in the lake, until SIGTERM or Ctrl-C."""
    # Spark takes a second to import; a wrong option should not wait for it.
    from conformare_sink.lake.tables.places import check_store
    from conformare_sink.landing.report import BatchReport
    from conformare_sink.monitoring.endpoint import MetricsEndpoint
    from conformare_sink.monitoring.health import Health
    from conformare_sink.monitoring.metrics import SinkMetrics
    from conformare_sink.spark.session import build_session
    from conformare_sink.stream.outage import await_broker
    from conformare_sink.stream.stream import SinkStream

    log_progress()
    options = SinkOptions(
        bootstrap_servers=bootstrap_servers,
        access=kafka_settings,
        lake=lake,
        storage=storage_options,
        catalog=catalog_options(catalog, schema, table_prefix),
        checkpoint=Path(checkpoint) if checkpoint else None,
        topic_prefix=topic_prefix,
        max_messages_per_batch=max_messages_per_batch,
        engine=engine,
        registry=registry_access(
            schema_registry_url, schema_registry_settings, schema_registry_subject_strategy
        ),
        broker_timeout_seconds=broker_timeout,
        accept_loss=accept_loss,
        most_pending_days=pending_days,
    )
    # What is wrong with the lake's store is told before anything is waited for.
    check_store(lake, storage_options)

    def report(batch: BatchReport) -> None:
        if log_format is LogFormat.JSON:
            line = batch.as_json()
        else:
            now = datetime.now(timezone.utc).isoformat(timespec="seconds")
            line = f"{now} {batch.summary()}"
        # The batch has landed; a full disk of logs is not to end the sink.
        with suppress(BrokenPipeError, OutputError):
            show_line(line)

    metrics, health = SinkMetrics(), Health()
    with ExitStack() as running:
        if metrics_port is not None:
            endpoint = MetricsEndpoint(metrics.registry, health, metrics_host, metrics_port)
            running.enter_context(endpoint)
            tell(f"metrics on http://{metrics_host}:{endpoint.port}/metrics")
        stopping = running.enter_context(_asked_to_end())
        # A broker that is not there is told before Java is started.
        topics = options.topics()
        if not await_broker(topics, options.patience_seconds(once=once), stopping):
            return
        with waiting("Starting Spark"):
            spark = build_session("conformare-sink", short_lived=once)
        running.callback(spark.stop)
        stream = SinkStream(spark, options, report, metrics, health, stopping)
        if once:
            stream.run_once()
        else:
            tell(f"landing runs from {bootstrap_servers} in {lake}")
            stream.run(trigger, maintain_every or None)


def _end_at_once() -> None:
    from conformare_sink.spark.process import kill_spark

    message = f"the batch was not done {STOP_SECONDS:.0f} s after the signal: ending in the middle"
    tell(f"error: {message}; the next start does it again")
    kill_spark()
    os._exit(STOPPED_IN_A_BATCH)
