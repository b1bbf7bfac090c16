"""`conformare replay`: the topics again, into the same lake."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

import typer

from conformare_schemas import DEFAULT_TOPIC_PREFIX
from conformare_sink.cli._arguments import (
    ENVIRONMENT,
    BootstrapServers,
    By,
    Catalog,
    KafkaSettings,
    Lake,
    MaxMessagesPerBatch,
    Schema,
    SchemaRegistrySettings,
    SchemaRegistrySubjects,
    SchemaRegistryUrl,
    Storage,
    TablePrefix,
    TopicPrefix,
    catalog_options,
    registry_access,
    utc,
)
from conformare_sink.cli._console import progress, readable_errors, show_line, waiting
from conformare_sink.kafka.access import ANYBODY
from conformare_sink.options import DEFAULT_MAX_MESSAGES_PER_BATCH, Engine, SinkOptions


@dataclass(frozen=True)
class OffsetOf:
    """An offset of one partition."""

    topic: str
    partition: int
    offset: int


def _offset_of(text: str) -> OffsetOf:
    """Parse an offset of a partition."""
    found = re.fullmatch(r"(.+):([0-9]{1,9}):([0-9]{1,18})", text)
    if found is None:
        raise typer.BadParameter(f"{text!r} is not an offset such as 'conformare.runs:0:1500'")
    return OffsetOf(found[1], int(found[2]), int(found[3]))


def _by_partition(offsets: list[OffsetOf] | None) -> dict[tuple[str, int], int]:
    return {(one.topic, one.partition): one.offset for one in offsets or ()}


@readable_errors
def replay(
    bootstrap_servers: BootstrapServers,
    lake: Lake,
    kafka_settings: KafkaSettings = ANYBODY,
    topic_prefix: TopicPrefix = DEFAULT_TOPIC_PREFIX,
    since: Annotated[
        datetime | None,
        typer.Option(
            "--from",
            envvar="CONFORMARE_FROM",
            parser=utc,
            metavar="ISO",
            help="Only messages that the broker took at this time or later.",
        ),
    ] = None,
    until: Annotated[
        datetime | None,
        typer.Option(
            "--to",
            envvar="CONFORMARE_TO",
            parser=utc,
            metavar="ISO",
            help="Only messages that the broker took before this time.",
        ),
    ] = None,
    run_id: Annotated[
        list[str] | None,
        typer.Option(envvar="CONFORMARE_RUN_ID", help="Only this run; may be given repeatedly."),
    ] = None,
    pipeline: Annotated[
        list[str] | None,
        typer.Option(
            envvar="CONFORMARE_PIPELINE",
            help="Only runs of this pipeline; may be given repeatedly.",
        ),
    ] = None,
    from_offset: Annotated[
        list[OffsetOf] | None,
        typer.Option(
            envvar="CONFORMARE_FROM_OFFSET",
            parser=_offset_of,
            metavar="TOPIC:PARTITION:OFFSET",
            help="Of this partition, only messages at this offset or later; may be given repeatedly.",
        ),
    ] = None,
    to_offset: Annotated[
        list[OffsetOf] | None,
        typer.Option(
            envvar="CONFORMARE_TO_OFFSET",
            parser=_offset_of,
            metavar="TOPIC:PARTITION:OFFSET",
            help="Of this partition, only messages before this offset; may be given repeatedly.",
        ),
    ] = None,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", envvar="CONFORMARE_DRY_RUN", help="Only tell what would land."),
    ] = False,
    max_messages_per_batch: MaxMessagesPerBatch = DEFAULT_MAX_MESSAGES_PER_BATCH,
    engine: By = Engine.AUTO,
    storage_options: Storage = ENVIRONMENT,
    catalog: Catalog = None,
    schema: Schema = None,
    table_prefix: TablePrefix = "",
    schema_registry_url: SchemaRegistryUrl = None,
    schema_registry_settings: SchemaRegistrySettings = None,
    schema_registry_subject_strategy: SchemaRegistrySubjects = "TopicName",
) -> None:
    """Read the topics again and land the runs that the lake does not have.

    It is safe to repeat. A replay that was killed resumes when the same command is given again.
    """
    from conformare_sink.spark.session import build_session
    from conformare_sink.stream.replay import ReplayProgress, Selection
    from conformare_sink.stream.replay import replay as replay_topics

    options = SinkOptions(
        bootstrap_servers=bootstrap_servers,
        access=kafka_settings,
        lake=lake,
        storage=storage_options,
        catalog=catalog_options(catalog, schema, table_prefix),
        topic_prefix=topic_prefix,
        max_messages_per_batch=max_messages_per_batch,
        engine=engine,
        registry=registry_access(
            schema_registry_url, schema_registry_settings, schema_registry_subject_strategy
        ),
    )
    options.topics().require_runs()
    verb, landed = ("would land", "to land") if dry_run else ("landed", "landed")
    selection = Selection(
        since=since,
        until=until,
        run_ids=tuple(run_id or ()),
        pipelines=tuple(pipeline or ()),
        from_offsets=_by_partition(from_offset),
        to_offsets=_by_partition(to_offset),
    )
    with waiting("Starting Spark"):
        spark = build_session("conformare-replay", short_lived=True)
    try:
        with progress("Replaying") as show_progress:

            def on_progress(now: ReplayProgress) -> None:
                result = f"{now.landed:,} run(s) {landed}, {now.known:,} known"
                show_progress(now.read, now.of, result)

            done = replay_topics(
                spark,
                options,
                selection,
                dry_run=dry_run,
                on_batch=lambda _: None,
                on_progress=on_progress,
            )
    finally:
        spark.stop()
    if done.read_before:
        show_line(
            f"resumed: {done.read_before} message(s) had been read by a replay that broke off; "
            "what follows is of the others"
        )
    show_line(
        f"{verb} {done.landed} run(s); {done.repeated} emission(s) of runs that are in the lake, "
        f"{done.purged} of runs that were purged, {done.incomplete} incomplete, "
        f"{done.quarantined} message(s) unusable"
    )
