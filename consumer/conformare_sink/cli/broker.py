"""`conformare broker`: the embedded broker, in the background."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from conformare_sink.broker.broker import (
    DEFAULT_HEAP,
    DEFAULT_PORT,
    HOST,
    EmbeddedBroker,
    default_broker_directory,
)
from conformare_sink.cli._console import FAILURE, readable_errors, show_line, waiting
from conformare_sink.spark.jars import BROKER_JARS, KAFKA_VERSION, is_resolved, resolve_jars

app = typer.Typer(
    no_args_is_help=True,
    help="A real single-node Apache Kafka on this machine, for trials and tests.",
)

DirectoryOption = Annotated[
    Path,
    typer.Option(
        "--dir",
        envvar="CONFORMARE_BROKER_DIR",
        help="Folder of its data, configuration and log.",
        default_factory=default_broker_directory,
        show_default="a folder of your user's data",
    ),
]
PortOption = Annotated[
    int,
    typer.Option(
        "--port",
        envvar="CONFORMARE_BROKER_PORT",
        min=1,
        max=65535,
        help="Port on 127.0.0.1 to listen on.",
    ),
]
TimeoutOption = Annotated[
    float,
    typer.Option(
        "--timeout-seconds",
        envvar="CONFORMARE_BROKER_TIMEOUT_SECONDS",
        min=1,
        help="How long to wait for it.",
    ),
]


@app.command()
@readable_errors
def start(
    directory: DirectoryOption,
    port: PortOption = DEFAULT_PORT,
    heap: Annotated[
        str,
        typer.Option("--heap", envvar="CONFORMARE_BROKER_HEAP", help="Size of its Java heap."),
    ] = DEFAULT_HEAP,
    timeout_seconds: TimeoutOption = 30,
) -> None:
    """Start the broker and return once it answers; it goes on in the background."""
    broker = EmbeddedBroker(directory, port, heap=heap)
    if not is_resolved(BROKER_JARS):
        with waiting("Fetching Kafka's jars, once for this machine"):
            resolve_jars(BROKER_JARS)
    with waiting("Starting Kafka"):
        broker.start(timeout_seconds)
    status = broker.status()
    show_line(
        f"Kafka {KAFKA_VERSION} listens on {broker.bootstrap_servers} (process {status.pid}, "
        f"data in {broker.directory})"
    )


@app.command()
@readable_errors
def stop(directory: DirectoryOption, timeout_seconds: TimeoutOption = 20) -> None:
    """Stop the broker; its data stay."""
    broker = EmbeddedBroker(directory)
    with waiting("Stopping Kafka"):
        broker.stop(timeout_seconds)
    show_line(f"stopped; data stay in {broker.directory}")


@app.command()
@readable_errors
def status(directory: DirectoryOption) -> None:
    """Tell whether the broker runs and answers; exit code 1 where it does not."""
    state = EmbeddedBroker(directory).status()
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
