"""`conformare sink`: from the topics into the lake."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime, timezone

from conformare_schemas.settings.command_line import command_of
from conformare_sink.cli._console import log_progress, readable_errors, show_line, tell, waiting
from conformare_sink.cli.settings import LogFormat, SinkSettings
from conformare_sink.errors import OutputError

STOP_SECONDS = 60.0
"""How long the batch that is under way may take after a signal."""
STOPPED_IN_A_BATCH = 3


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


@command_of(SinkSettings)
@readable_errors
def sink(given: SinkSettings) -> None:
    """Read runs from Kafka and append them to the lake, until SIGTERM or Ctrl-C."""
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
    options, once = given.options(), given.once
    # What is wrong with the lake's store is told before anything is waited for.
    check_store(options.lake, options.storage)

    def report(batch: BatchReport) -> None:
        if given.log_format is LogFormat.JSON:
            line = batch.as_json()
        else:
            now = datetime.now(timezone.utc).isoformat(timespec="seconds")
            line = f"{now} {batch.summary()}"
        # The batch has landed; a full disk of logs is not to end the sink.
        with suppress(BrokenPipeError, OutputError):
            show_line(line)

    metrics, health = SinkMetrics(), Health()
    with ExitStack() as running:
        if given.metrics_port is not None:
            host = given.metrics_host
            endpoint = MetricsEndpoint(metrics.registry, health, host, given.metrics_port)
            running.enter_context(endpoint)
            tell(f"metrics on http://{host}:{endpoint.port}/metrics")
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
            tell(f"landing runs from {options.bootstrap_servers} in {options.lake}")
            stream.run(given.trigger, given.maintenance_pause)


def _end_at_once() -> None:
    from conformare_sink.spark.process import kill_spark

    message = f"the batch was not done {STOP_SECONDS:.0f} s after the signal: ending in the middle"
    tell(f"error: {message}; the next start does it again")
    kill_spark()
    os._exit(STOPPED_IN_A_BATCH)
