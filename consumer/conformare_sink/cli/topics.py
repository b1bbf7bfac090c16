"""`conformare topics`: the grain topics."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import typer

from conformare_schemas.settings.command_line import command_of
from conformare_sink.cli._console import FAILURE, readable_errors, show_json, show_line
from conformare_sink.cli.settings import TopicsCheckSettings, TopicsCreateSettings
from conformare_sink.kafka.topic_check import Difference
from conformare_sink.kafka.topics import Topics

app = typer.Typer(
    no_args_is_help=True, help="Create and check the Kafka topics, one for each grain."
)


@app.callback()
def topics() -> None:
    """Create and check the Kafka topics, one for each grain."""


@app.command()
@command_of(TopicsCreateSettings)
@readable_errors
def create(given: TopicsCreateSettings) -> None:
    """Create the missing topics; existing ones stay as they are."""
    created = Topics(given.bootstrap_servers, given.topic_prefix, given.access).create(
        given.partitions, given.retention_days, given.replication_factor
    )
    for name in created:
        show_line(f"created {name}")
    if not created:
        show_line("all topics exist already")


@app.command()
@command_of(TopicsCheckSettings)
@readable_errors
def check(given: TopicsCheckSettings) -> None:
    """Print what is wrong with the topics, and why it matters; exit code 1 for a fault."""
    found = Topics(given.bootstrap_servers, given.topic_prefix, given.access).check()
    if given.as_json:
        show_json([dataclasses.asdict(difference) for difference in found])
    else:
        _print(found)
    if any(difference.is_fault for difference in found):
        raise typer.Exit(FAILURE)


def _print(found: Sequence[Difference]) -> None:
    for one in found:
        kind = "fault" if one.is_fault else "advice"
        show_line(f"{kind}: {one.setting} is {one.found}, and must be {one.needed}: {one.why}")
        show_line(f"  {', '.join(one.topics)}")
    if not found:
        show_line("all topics are as they must be")
