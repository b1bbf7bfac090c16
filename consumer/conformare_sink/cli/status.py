"""`conformare status`: what a lake holds and what it waits for."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, timezone

from conformare_schemas.settings.command_line import command_of
from conformare_sink.cli._console import readable_errors, show_json, show_line, show_table
from conformare_sink.cli._lake import found_lake
from conformare_sink.cli.settings import StatusSettings
from conformare_sink.kafka.topics import Topics
from conformare_sink.status import IncompleteEmission, LakeStatus, read_status


@command_of(StatusSettings)
@readable_errors
def status(given: StatusSettings) -> None:
    """Print how many runs, rows, and incomplete or quarantined messages the lake has, and the lag."""
    brokers = given.bootstrap_servers
    topics = Topics(brokers, given.topic_prefix, given.access) if brokers else None
    with found_lake(given) as readable:
        found = read_status(readable, topics, given.limit)
    if given.as_json:
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
