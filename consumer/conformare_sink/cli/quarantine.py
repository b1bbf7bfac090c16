"""`conformare quarantine`: the messages that could not be used."""

from __future__ import annotations

import dataclasses

import typer

from conformare_schemas.settings.command_line import command_of
from conformare_sink.cli._console import readable_errors, show_json, show_line, show_table, waiting
from conformare_sink.cli._lake import found_lake, opened_lake
from conformare_sink.cli.settings import (
    Messages,
    QuarantineDropSettings,
    QuarantineListSettings,
    QuarantineRetrySettings,
    QuarantineShowSettings,
)
from conformare_sink.lake.kept.quarantined import (
    QuarantineFilter,
    quarantined_causes,
    quarantined_messages,
)
from conformare_sink.registry.resolver import ONCE_SECONDS, asking

app = typer.Typer(
    no_args_is_help=True, help="Inspect, retry or delete messages that the sink could not use."
)


def _filter(given: Messages) -> QuarantineFilter:
    return QuarantineFilter(given.cause, given.topic)


@app.command("list")
@command_of(QuarantineListSettings)
@readable_errors
def list_causes(given: QuarantineListSettings) -> None:
    """Print how many messages are in quarantine, for each cause."""
    with found_lake(given) as readable:
        found = quarantined_causes(readable)
    if given.as_json:
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
@command_of(QuarantineShowSettings)
@readable_errors
def show(given: QuarantineShowSettings) -> None:
    """Print quarantined messages, newest first: their position in Kafka, never their content."""
    with found_lake(given) as readable:
        found = quarantined_messages(readable, _filter(given), given.limit)
    if given.as_json:
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
@command_of(QuarantineRetrySettings)
@readable_errors
def retry(given: QuarantineRetrySettings) -> None:
    """Try quarantined messages again: usable ones land and leave quarantine."""
    with (
        opened_lake(given, "a retry") as opened,
        asking(given.registry, given.topic_prefix, ONCE_SECONDS) as registry,
        waiting("Trying again"),
    ):
        from conformare_sink.landing.landing import Landing
        from conformare_sink.landing.pending import PendingMessages
        from conformare_sink.stream.retry import retry as retry_messages
        from conformare_sink.stream.retry import unresolved_ids

        if registry is not None:
            registry.want(unresolved_ids(opened))
        waits = PendingMessages(opened.waiting())
        landing = Landing(opened, waits, given.topic_prefix, registry=registry)
        retried = retry_messages(opened, landing, _filter(given))
    show_line(f"{retried.used} message(s) taken out of quarantine: {retried.summary()}")
    for reason, messages in retried.unusable.items():
        show_line(f"  {messages} {reason}")


@app.command()
@command_of(QuarantineDropSettings)
@readable_errors
def drop(given: QuarantineDropSettings) -> None:
    """Delete messages from quarantine; a replay brings back those that the topics still have."""
    if given.everything == (given.cause is not None or given.topic is not None):
        raise typer.BadParameter("say which messages: --cause, --topic, or --all without them")
    with opened_lake(given, "a deletion from quarantine") as opened:
        from conformare_sink.stream.retry import drop as drop_messages

        dropped = drop_messages(opened, _filter(given))
    show_line(f"{dropped} message(s) deleted from quarantine")
