"""`conformare replay`: the topics again, into the same lake."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Annotated

import typer

from conformare_schemas import DEFAULT_TOPIC_PREFIX
from conformare_sink.cli._arguments import (
    BootstrapServers,
    Lake,
    MaxMessagesPerBatch,
    TopicPrefix,
)
from conformare_sink.cli._console import err, out, readable_errors
from conformare_sink.options import DEFAULT_MAX_MESSAGES_PER_BATCH, SinkOptions


def _utc(text: str) -> datetime:
    """Parse an ISO 8601 time; one without an offset is UTC."""
    try:
        moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError as exc:
        raise typer.BadParameter(f"{text!r} is not an ISO 8601 time") from exc
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)


@readable_errors
def replay(
    bootstrap_servers: BootstrapServers,
    lake: Lake,
    topic_prefix: TopicPrefix = DEFAULT_TOPIC_PREFIX,
    since: Annotated[
        datetime | None,
        typer.Option(
            "--from",
            envvar="CONFORMARE_FROM",
            parser=_utc,
            metavar="ISO",
            help="Only messages that the broker took at this time or later.",
        ),
    ] = None,
    until: Annotated[
        datetime | None,
        typer.Option(
            "--to",
            envvar="CONFORMARE_TO",
            parser=_utc,
            metavar="ISO",
            help="Only messages that the broker took before this time.",
        ),
    ] = None,
    run_id: Annotated[
        list[str] | None,
        typer.Option(envvar="CONFORMARE_RUN_ID", help="Only this run; may be given repeatedly."),
    ] = None,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", envvar="CONFORMARE_DRY_RUN", help="Only tell what would land."),
    ] = False,
    max_messages_per_batch: MaxMessagesPerBatch = DEFAULT_MAX_MESSAGES_PER_BATCH,
) -> None:
    """Read the topics again and land the runs that the lake does not have; safe to repeat."""
    from conformare_sink.replay import Selection
    from conformare_sink.replay import replay as replay_topics
    from conformare_sink.report import BatchReport
    from conformare_sink.session import build_session
    from conformare_sink.topics import Topics

    options = SinkOptions(
        bootstrap_servers=bootstrap_servers,
        lake=lake,
        topic_prefix=topic_prefix,
        max_messages_per_batch=max_messages_per_batch,
    )
    Topics(bootstrap_servers, topic_prefix).require_all()
    with err.status("Starting Spark") as progress:
        spark = build_session("conformare-replay")
        try:
            progress.update("Replaying")

            def report(batch: BatchReport) -> None:
                progress.update(f"Replaying: {batch.summary()}")

            done = replay_topics(
                spark,
                options,
                Selection(since, until, tuple(run_id or ())),
                dry_run=dry_run,
                on_batch=report,
            )
        finally:
            spark.stop()
    verb = "would land" if dry_run else "landed"
    out.print(
        f"{verb} {done.landed} run(s); {done.repeated} emission(s) of runs that are in the lake, "
        f"{done.incomplete} incomplete, {done.quarantined} message(s) unusable"
    )
