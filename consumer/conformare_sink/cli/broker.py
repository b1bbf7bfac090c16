"""`conformare broker`: the embedded broker, in the background."""

from __future__ import annotations

import typer

from conformare_schemas.settings.command_line import command_of
from conformare_sink.broker.broker import EmbeddedBroker, default_broker_directory
from conformare_sink.broker.ports import HOST
from conformare_sink.cli._console import FAILURE, readable_errors, show_line, waiting
from conformare_sink.cli.settings import BrokerSettings, BrokerStartSettings, BrokerStopSettings
from conformare_sink.spark.jars import BROKER_JARS, KAFKA_VERSION, is_resolved, resolve_jars

app = typer.Typer(
    no_args_is_help=True,
    help="Run a real single-node Apache Kafka on this machine, for trials and tests.",
)


@app.command()
@command_of(BrokerStartSettings)
@readable_errors
def start(given: BrokerStartSettings) -> None:
    """Start the broker in the background, and return once it answers."""
    directory = given.directory or default_broker_directory()
    broker = EmbeddedBroker(directory, given.port, heap=given.heap)
    if not is_resolved(BROKER_JARS):
        with waiting("Fetching Kafka's jars, once for this machine"):
            resolve_jars(BROKER_JARS)
    with waiting("Starting Kafka"):
        broker.start(given.timeout_seconds)
    status = broker.status()
    show_line(
        f"Kafka {KAFKA_VERSION} listens on {broker.bootstrap_servers} (process {status.pid}, "
        f"data in {broker.directory})"
    )


@app.command()
@command_of(BrokerStopSettings)
@readable_errors
def stop(given: BrokerStopSettings) -> None:
    """Stop the broker and keep its data."""
    broker = EmbeddedBroker(given.directory or default_broker_directory())
    with waiting("Stopping Kafka"):
        broker.stop(given.timeout_seconds)
    show_line(f"stopped; its data stays in {broker.directory}")


@app.command()
@command_of(BrokerSettings)
@readable_errors
def status(given: BrokerSettings) -> None:
    """Print whether the broker runs and answers; exit code 1 if not."""
    state = EmbeddedBroker(given.directory or default_broker_directory()).status()
    if not state.running:
        show_line(f"not running; folder {state.directory}")
        raise typer.Exit(FAILURE)
    address = f"{HOST}:{state.port}" if state.port else "a port that is not known yet"
    answer = "answers" if state.answering else "runs but does not answer"
    show_line(
        f"{answer} on {address} (process {state.pid}, folder {state.directory}, "
        f"log {state.log_file})"
    )
    if not state.answering:
        raise typer.Exit(FAILURE)
