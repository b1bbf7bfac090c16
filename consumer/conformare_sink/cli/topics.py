"""`conformare topics`: the grain topics."""

from __future__ import annotations

import typer

from conformare_schemas.settings.command_line import command_of
from conformare_sink.cli._console import readable_errors, show_line
from conformare_sink.cli.settings import TopicsCreateSettings
from conformare_sink.kafka.topics import Topics

app = typer.Typer(no_args_is_help=True, help="The Kafka topics, one per grain.")


@app.callback()
def topics() -> None:
    """The Kafka topics, one per grain."""


@app.command()
@command_of(TopicsCreateSettings)
@readable_errors
def create(given: TopicsCreateSettings) -> None:
    """Create the topics that do not exist; those that do are left as they are."""
    created = Topics(given.bootstrap_servers, given.topic_prefix, given.access).create(
        given.partitions, given.retention_days, given.replication_factor
    )
    for name in created:
        show_line(f"created {name}")
    if not created:
        show_line("all topics exist already")
