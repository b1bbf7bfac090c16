"""`conformare quarantine`: the messages that could not be used."""

from __future__ import annotations

import dataclasses
import json
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from conformare_schemas import DEFAULT_TOPIC_PREFIX
from conformare_sink.cli._arguments import (
    Catalog,
    Lake,
    Schema,
    TablePrefix,
    TopicPrefix,
    catalog_options,
)
from conformare_sink.cli._console import err, out, readable_errors
from conformare_sink.cli._lake import opened_lake, readable_lake
from conformare_sink.lake.quarantine import (
    QuarantineFilter,
    quarantined_causes,
    quarantined_messages,
)

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
AsJson = Annotated[bool, typer.Option("--json", envvar="CONFORMARE_JSON", help="Print JSON.")]


@app.command("list")
@readable_errors
def list_causes(
    lake: Lake,
    as_json: AsJson = False,
    catalog: Catalog = None,
    schema: Schema = None,
    table_prefix: TablePrefix = "",
) -> None:
    """Print for which causes messages are in quarantine."""
    with readable_lake(lake, catalog_options(catalog, schema, table_prefix)) as readable:
        found = quarantined_causes(readable)
    if as_json:
        out.print(json.dumps([dataclasses.asdict(one) for one in found], default=str), markup=False)
        return
    table = Table("cause", "messages", "topics", "first", "last")
    for one in found:
        first, last = (moment.isoformat(timespec="seconds") for moment in (one.first, one.last))
        table.add_row(
            escape(one.cause), f"{one.messages:,}", escape(", ".join(one.topics)), first, last
        )
    out.print(table if found else "quarantine is empty")


@app.command()
@readable_errors
def show(
    lake: Lake,
    cause: Cause = None,
    topic: Topic = None,
    limit: Annotated[
        int, typer.Option(envvar="CONFORMARE_LIMIT", min=1, help="How many messages at most.")
    ] = 20,
    as_json: AsJson = False,
    catalog: Catalog = None,
    schema: Schema = None,
    table_prefix: TablePrefix = "",
) -> None:
    """Print messages in quarantine, the latest first: where they are in Kafka, never their content."""
    with readable_lake(lake, catalog_options(catalog, schema, table_prefix)) as readable:
        found = quarantined_messages(readable, QuarantineFilter(cause, topic), limit)
    if as_json:
        out.print(json.dumps([dataclasses.asdict(one) for one in found], default=str), markup=False)
        return
    table = Table("topic", "partition", "offset", "time", "key", "bytes", "cause", "first bytes")
    for one in found:
        texts = (one.key, f"{one.value_bytes:,}", one.cause, one.first_bytes)
        place = (one.topic, str(one.partition), str(one.offset))
        taken = one.timestamp.isoformat(timespec="seconds")
        table.add_row(*map(escape, (*place, taken, *texts)))
    out.print(table if found else "no such message in quarantine")


@app.command()
@readable_errors
def retry(
    lake: Lake,
    cause: Cause = None,
    topic: Topic = None,
    topic_prefix: TopicPrefix = DEFAULT_TOPIC_PREFIX,
    catalog: Catalog = None,
    schema: Schema = None,
    table_prefix: TablePrefix = "",
) -> None:
    """Land messages from quarantine that can be used by now, and take them out of it."""
    tables_at = catalog_options(catalog, schema, table_prefix)
    with opened_lake(lake, tables_at, "a retry") as opened, err.status("Trying again"):
        from conformare_sink.landing.landing import Landing
        from conformare_sink.landing.pending import PendingMessages
        from conformare_sink.stream.retry import retry as retry_messages

        landing = Landing(opened, PendingMessages(opened.waiting()), topic_prefix)
        retried = retry_messages(opened, landing, QuarantineFilter(cause, topic))
    out.print(f"{retried.used} message(s) taken out of quarantine: {retried.summary()}")
    for reason, messages in retried.unusable.items():
        out.print(f"  {messages} {reason}", markup=False)


@app.command()
@readable_errors
def drop(
    lake: Lake,
    cause: Cause = None,
    topic: Topic = None,
    everything: Annotated[
        bool, typer.Option("--all", envvar="CONFORMARE_ALL", help="All that is in quarantine.")
    ] = False,
    catalog: Catalog = None,
    schema: Schema = None,
    table_prefix: TablePrefix = "",
) -> None:
    """Delete messages from quarantine; a replay brings back those that the topics still have."""
    if everything == (cause is not None or topic is not None):
        raise typer.BadParameter("say which messages: --cause, --topic, or --all without them")
    tables_at = catalog_options(catalog, schema, table_prefix)
    with opened_lake(lake, tables_at, "a deletion from quarantine") as opened:
        from conformare_sink.stream.retry import drop as drop_messages

        dropped = drop_messages(opened, QuarantineFilter(cause, topic))
    out.print(f"{dropped} message(s) deleted from quarantine")
