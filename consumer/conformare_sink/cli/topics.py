"""`conformare topics`: the grain topics."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Annotated

import typer

from conformare_schemas import DEFAULT_TOPIC_PREFIX
from conformare_sink.cli._arguments import AsJson, BootstrapServers, KafkaSettings, TopicPrefix
from conformare_sink.cli._console import FAILURE, readable_errors, show_json, show_line
from conformare_sink.kafka.access import ANYBODY
from conformare_sink.kafka.topic_check import Difference
from conformare_sink.kafka.topics import DEFAULT_PARTITIONS, DEFAULT_RETENTION_DAYS, Topics

app = typer.Typer(no_args_is_help=True, help="The Kafka topics, one per grain.")


@app.callback()
def topics() -> None:
    """The Kafka topics, one per grain."""


@app.command()
@readable_errors
def create(
    bootstrap_servers: BootstrapServers,
    kafka_settings: KafkaSettings = ANYBODY,
    topic_prefix: TopicPrefix = DEFAULT_TOPIC_PREFIX,
    partitions: Annotated[
        int,
        typer.Option(
            envvar="CONFORMARE_PARTITIONS", min=1, max=100_000, help="Partitions per topic."
        ),
    ] = DEFAULT_PARTITIONS,
    retention_days: Annotated[
        int,
        typer.Option(
            envvar="CONFORMARE_RETENTION_DAYS",
            min=1,
            max=36_500,
            help="How long a message can be replayed, in days.",
        ),
    ] = DEFAULT_RETENTION_DAYS,
    replication_factor: Annotated[
        int,
        typer.Option(
            envvar="CONFORMARE_REPLICATION_FACTOR",
            min=-1,
            max=2**15 - 1,
            help="Replicas per partition; -1 for the cluster's default. With 3 or more, "
            "min.insync.replicas becomes 2.",
        ),
    ] = -1,
) -> None:
    """Create the topics that do not exist; those that do are left as they are."""
    created = Topics(bootstrap_servers, topic_prefix, kafka_settings).create(
        partitions, retention_days, replication_factor
    )
    for name in created:
        show_line(f"created {name}")
    if not created:
        show_line("all topics exist already")


@app.command()
@readable_errors
def check(
    bootstrap_servers: BootstrapServers,
    kafka_settings: KafkaSettings = ANYBODY,
    topic_prefix: TopicPrefix = DEFAULT_TOPIC_PREFIX,
    as_json: AsJson = False,
) -> None:
    """Print what the topics must be and are not, and why it matters; exit code 1 for a fault."""
    found = Topics(bootstrap_servers, topic_prefix, kafka_settings).check()
    if as_json:
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
