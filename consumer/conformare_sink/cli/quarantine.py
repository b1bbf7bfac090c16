"""`conformare quarantine`: the messages that could not be used."""

from __future__ import annotations

import dataclasses
from typing import Annotated

import typer

from conformare_schemas import DEFAULT_TOPIC_PREFIX
from conformare_sink.cli._arguments import (
    ENVIRONMENT,
    AsJson,
    Catalog,
    Lake,
    Limit,
    Schema,
    SchemaRegistrySettings,
    SchemaRegistrySubjects,
    SchemaRegistryUrl,
    Storage,
    TablePrefix,
    TopicPrefix,
    catalog_options,
    registry_access,
)
from conformare_sink.cli._console import readable_errors, show_json, show_line, show_table, waiting
from conformare_sink.cli._lake import found_lake, opened_lake
from conformare_sink.lake.quarantine import (
    QuarantineFilter,
    quarantined_causes,
    quarantined_messages,
)
from conformare_sink.registry.resolver import ONCE_SECONDS, asking
from conformare_sink.status import DEFAULT_LIMIT

app = typer.Typer(no_args_is_help=True, help="Messages that could not be used.")

Cause = Annotated[
    str | None,
    typer.Option(
        envvar="CONFORMARE_CAUSE", help="Only messages whose cause begins with this text."
    ),
]
Topic = Annotated[
    str | None,
    typer.Option(envvar="CONFORMARE_TOPIC", help="Only messages that came by this topic."),
]


@app.command("list")
@readable_errors
def list_causes(
    lake: Lake,
    as_json: AsJson = False,
    storage_options: Storage = ENVIRONMENT,
    catalog: Catalog = None,
    schema: Schema = None,
    table_prefix: TablePrefix = "",
) -> None:
    """Print for which causes messages are in quarantine."""
    with found_lake(
        lake, storage_options, catalog_options(catalog, schema, table_prefix)
    ) as readable:
        found = quarantined_causes(readable)
    if as_json:
        show_json([dataclasses.asdict(one) for one in found])
        return
    if not found:
        show_line("quarantine is empty")
        return
    show_table(
        "",
        ("cause", "messages", "topics", "first", "last"),
        [
            (
                one.cause,
                one.messages,
                ", ".join(one.topics),
                one.first.isoformat(timespec="seconds"),
                one.last.isoformat(timespec="seconds"),
            )
            for one in found
        ],
    )


@app.command()
@readable_errors
def show(
    lake: Lake,
    cause: Cause = None,
    topic: Topic = None,
    limit: Limit = DEFAULT_LIMIT,
    as_json: AsJson = False,
    storage_options: Storage = ENVIRONMENT,
    catalog: Catalog = None,
    schema: Schema = None,
    table_prefix: TablePrefix = "",
) -> None:
    """Print messages in quarantine, the latest first: where they are in Kafka, never their content."""
    with found_lake(
        lake, storage_options, catalog_options(catalog, schema, table_prefix)
    ) as readable:
        found = quarantined_messages(readable, QuarantineFilter(cause, topic), limit)
    if as_json:
        show_json([dataclasses.asdict(one) for one in found])
        return
    if not found:
        show_line("no such message in quarantine")
        return
    show_table(
        "",
        ("topic", "partition", "offset", "time", "key", "bytes", "cause", "first bytes"),
        [
            (
                one.topic,
                str(one.partition),
                str(one.offset),
                one.timestamp.isoformat(timespec="seconds"),
                one.key,
                one.value_bytes,
                one.cause,
                one.first_bytes,
            )
            for one in found
        ],
    )


@app.command()
@readable_errors
def retry(
    lake: Lake,
    cause: Cause = None,
    topic: Topic = None,
    topic_prefix: TopicPrefix = DEFAULT_TOPIC_PREFIX,
    storage_options: Storage = ENVIRONMENT,
    catalog: Catalog = None,
    schema: Schema = None,
    table_prefix: TablePrefix = "",
    schema_registry_url: SchemaRegistryUrl = None,
    schema_registry_settings: SchemaRegistrySettings = None,
    schema_registry_subject_strategy: SchemaRegistrySubjects = "TopicName",
) -> None:
    """Land messages from quarantine that can be used by now, and take them out of it."""
    tables_at = catalog_options(catalog, schema, table_prefix)
    access = registry_access(
        schema_registry_url, schema_registry_settings, schema_registry_subject_strategy
    )
    with (
        opened_lake(lake, storage_options, tables_at, "a retry") as opened,
        asking(access, topic_prefix) as registry,
        waiting("Trying again"),
    ):
        from conformare_sink.landing.landing import Landing
        from conformare_sink.landing.pending import PendingMessages
        from conformare_sink.stream.retry import retry as retry_messages
        from conformare_sink.stream.retry import unresolved_ids

        if registry is not None:
            registry.want(unresolved_ids(opened))
            registry.settle(ONCE_SECONDS)
        waits = PendingMessages(opened.waiting())
        landing = Landing(opened, waits, topic_prefix, registry=registry)
        retried = retry_messages(opened, landing, QuarantineFilter(cause, topic))
    show_line(f"{retried.used} message(s) taken out of quarantine: {retried.summary()}")
    for reason, messages in retried.unusable.items():
        show_line(f"  {messages} {reason}")


@app.command()
@readable_errors
def drop(
    lake: Lake,
    cause: Cause = None,
    topic: Topic = None,
    everything: Annotated[
        bool, typer.Option("--all", envvar="CONFORMARE_ALL", help="All that is in quarantine.")
    ] = False,
    storage_options: Storage = ENVIRONMENT,
    catalog: Catalog = None,
    schema: Schema = None,
    table_prefix: TablePrefix = "",
) -> None:
    """Delete messages from quarantine; a replay brings back those that the topics still have."""
    if everything == (cause is not None or topic is not None):
        raise typer.BadParameter("say which messages: --cause, --topic, or --all without them")
    tables_at = catalog_options(catalog, schema, table_prefix)
    with opened_lake(lake, storage_options, tables_at, "a deletion from quarantine") as opened:
        from conformare_sink.stream.retry import drop as drop_messages

        dropped = drop_messages(opened, QuarantineFilter(cause, topic))
    show_line(f"{dropped} message(s) deleted from quarantine")
