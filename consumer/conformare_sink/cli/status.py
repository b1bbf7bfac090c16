"""`conformare status`: what a lake holds and what it waits for."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Annotated

import typer
from rich.table import Table

from conformare_schemas import DEFAULT_TOPIC_PREFIX
from conformare_sink.cli._arguments import (
    Catalog,
    KafkaSettings,
    Lake,
    Schema,
    TablePrefix,
    TopicPrefix,
    catalog_options,
)
from conformare_sink.cli._console import out, readable_errors
from conformare_sink.cli._lake import readable_lake
from conformare_sink.kafka.access import ANYBODY
from conformare_sink.kafka.topics import Topics
from conformare_sink.status import LakeStatus, read_status


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
    as_json: Annotated[
        bool, typer.Option("--json", envvar="CONFORMARE_JSON", help="Print JSON.")
    ] = False,
    catalog: Catalog = None,
    schema: Schema = None,
    table_prefix: TablePrefix = "",
) -> None:
    """Print runs per status, rows per grain, what is incomplete or quarantined, and the lag."""
    tables_at = catalog_options(catalog, schema, table_prefix)
    topics = Topics(bootstrap_servers, topic_prefix, kafka_settings) if bootstrap_servers else None
    with readable_lake(lake, tables_at) as readable:
        found = read_status(readable, topics)
    if as_json:
        out.print(json.dumps(dataclasses.asdict(found), default=str), markup=False)
    else:
        _print(found)


def _print(found: LakeStatus) -> None:
    out.print(f"Lake {found.lake}", markup=False)
    out.print(_counts("Runs", "status", found.runs_by_status))
    out.print(_counts("Rows", "grain", found.rows_by_grain))
    if found.lag_by_topic is not None:
        out.print(_counts("Messages not landed yet", "topic", found.lag_by_topic))
    if found.quarantined_by_cause:
        out.print(_counts("Quarantined messages", "cause", found.quarantined_by_cause))
    if found.incomplete:
        table = Table("pipeline", "run_id", "missing", "waiting for", title="Incomplete emissions")
        now = datetime.now(timezone.utc)
        for emission in found.incomplete:
            missing = ", ".join(f"{rows} of {grain}" for grain, rows in emission.missing.items())
            waiting = str(now - emission.waiting_since).split(".")[0]
            table.add_row(emission.pipeline, emission.run_id, missing, waiting)
        out.print(table)


def _counts(title: str, of: str, counts: Mapping[str, int]) -> Table:
    table = Table(of, title=title, title_justify="left")
    table.add_column("count", justify="right")
    for name, n in counts.items():
        table.add_row(name, f"{n:,}")
    return table
