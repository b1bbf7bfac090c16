"""`conformare status`: what a lake holds and what it waits for."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, timezone
from typing import Annotated

import typer

from conformare_schemas import DEFAULT_TOPIC_PREFIX
from conformare_sink.cli._arguments import (
    ENVIRONMENT,
    AsJson,
    Catalog,
    KafkaSettings,
    Lake,
    Limit,
    Schema,
    Storage,
    TablePrefix,
    TopicPrefix,
    catalog_options,
)
from conformare_sink.cli._console import readable_errors, show_json, show_line, show_table
from conformare_sink.cli._lake import found_lake
from conformare_sink.kafka.access import ANYBODY
from conformare_sink.kafka.topics import Topics
from conformare_sink.status import DEFAULT_LIMIT, IncompleteEmission, LakeStatus, read_status


@readable_errors
def status(
    lake: Lake,
    bootstrap_servers: Annotated[
        str | None,
        typer.Option(
            envvar="CONFORMARE_BOOTSTRAP_SERVERS",
            help="Kafka brokers; with them, how far the sink is behind.",
        ),
    ] = None,
    kafka_settings: KafkaSettings = ANYBODY,
    topic_prefix: TopicPrefix = DEFAULT_TOPIC_PREFIX,
    as_json: AsJson = False,
    limit: Limit = DEFAULT_LIMIT,
    storage_options: Storage = ENVIRONMENT,
    catalog: Catalog = None,
    schema: Schema = None,
    table_prefix: TablePrefix = "",
) -> None:
    """Print runs per status, rows per grain, what is incomplete or quarantined, and the lag."""
    tables_at = catalog_options(catalog, schema, table_prefix)
    topics = Topics(bootstrap_servers, topic_prefix, kafka_settings) if bootstrap_servers else None
    with found_lake(lake, storage_options, tables_at) as readable:
        found = read_status(readable, topics, limit)
    if as_json:
        show_json(dataclasses.asdict(found))
    else:
        _print(found)


def _print(found: LakeStatus) -> None:
    show_line(f"Lake {found.lake}")
    runs = found.rows_by_grain["runs"]
    _print_counts("Runs", "status", found.runs_by_status, runs)
    _print_counts("Rows", "grain", found.rows_by_grain)
    if found.lag_by_topic is not None:
        _print_counts("Messages not landed yet", "topic", found.lag_by_topic)
    if found.quarantined_total:
        causes = found.quarantined_by_cause
        _print_counts("Quarantined messages", "cause", causes, found.quarantined_total)
    if found.incomplete:
        _print_incomplete(found.incomplete, found.incomplete_total)


def _print_counts(title: str, of: str, counts: Mapping[str, int], total: int | None = None) -> None:
    show_table(title, (of, "count"), counts.items())
    others = 0 if total is None else total - sum(counts.values())
    if others:
        show_line(f"and {others:,} with another {of}")


def _print_incomplete(emissions: Sequence[IncompleteEmission], total: int) -> None:
    now = datetime.now(timezone.utc)
    rows = []
    for emission in emissions:
        # The clock of a broker may be ahead.
        waiting = str(max(now - emission.waiting_since, timedelta())).split(".")[0]
        rows.append((emission.pipeline, emission.run_id, _missing(emission), waiting))
    columns = ("pipeline", "run_id", "missing", "waiting for")
    show_table(f"Incomplete emissions: {total:,}", columns, rows)
    if total > len(rows):
        show_line(f"these {len(rows):,} have waited longest; --limit shows more")


def _missing(emission: IncompleteEmission) -> str:
    if emission.missing is None:
        return f"not looked at: {emission.messages:,} messages"
    return ", ".join(f"{rows} of {grain}" for grain, rows in emission.missing.items())
