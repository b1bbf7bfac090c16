"""What a lake holds and what it waits for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from conformare_schemas import GRAINS, RUN_GRAINS, SOURCE_RISKS
from conformare_sink.kafka.topics import Topics, consumer_group
from conformare_sink.lake.tables.own import PENDING, QUARANTINE
from conformare_sink.lake.tables.tables import LakeTables, require_lake, select_rows
from conformare_sink.messages.emission import Emission, EmissionKey, Piece
from conformare_sink.options import DEFAULT_LIMIT

MOST_MESSAGES = 10_000
"""Of an emission with more of them is not told what is missing; no job sends so many."""


@dataclass(frozen=True)
class IncompleteEmission:
    """An emission that waits for the rest of its messages."""

    pipeline: str
    run_id: str
    emission_id: str
    messages: int
    """How many of its messages are kept."""
    missing: Mapping[str, int] | None
    """Rows that are missing, by grain; None where too many messages are kept to look at."""
    waiting_since: datetime
    """When the broker took its first message."""


@dataclass(frozen=True)
class LakeStatus:
    """What a lake holds and what it waits for."""

    lake: str
    runs_by_status: Mapping[str, int]
    """For the most frequent ones; `rows_by_grain` has how many runs there are in all."""
    rows_by_grain: Mapping[str, int]
    incomplete: tuple[IncompleteEmission, ...]
    """Those that have waited longest."""
    incomplete_total: int
    """How many emissions wait in all."""
    quarantined_by_cause: Mapping[str, int]
    """Messages, for the most frequent causes."""
    quarantined_total: int
    """How many messages are in quarantine in all."""
    lag_by_topic: Mapping[str, int] | None
    """Messages that the sink has not landed yet; None when no broker was asked."""


def read_status(
    tables: LakeTables, topics: Topics | None = None, limit: int = DEFAULT_LIMIT
) -> LakeStatus:
    """Read what a lake holds; how much is read does not grow with what waits or is in quarantine.

    Args:
        tables: The lake's tables.
        topics: The lake's topics, for the lag; None for not asking a broker.
        limit: How many emissions, statuses and causes are named at most.

    Raises:
        NoLakeError: There is no lake.
        LakeRefusedError: Its tables are elsewhere.
        BrokerUnreachableError: No broker answers.
        BrokerRefusedError: A broker refuses to tell.
        TopicsMissingError: It has no such topics, or does not show them.
    """
    require_lake(tables)
    # A lake that only jobs have written to has neither of the sink's own tables, and one that no newer
    # sink has opened yet has no table of a newer grain.
    optional = (PENDING.name, QUARANTINE.name, SOURCE_RISKS)
    there = {name for name in optional if tables.exist(name)}
    sizes = _sizes(tables, [*RUN_GRAINS, *sorted(there - {PENDING.name})])
    longest = (
        select_rows(tables, _longest_waiting_sql(limit), PENDING.name, "runs")
        if PENDING.name in there
        else []
    )
    return LakeStatus(
        lake=tables.storage.root,
        runs_by_status=_most_frequent(tables, "status", "runs", limit),
        rows_by_grain={grain: sizes.get(grain, 0) for grain in GRAINS},
        incomplete=tuple(_incomplete(longest)),
        incomplete_total=longest[0]["total"] if longest else 0,
        quarantined_by_cause=_most_frequent(tables, "cause", QUARANTINE.name, limit)
        if QUARANTINE.name in there
        else {},
        quarantined_total=sizes.get(QUARANTINE.name, 0),
        lag_by_topic=None if topics is None else _lag(topics, tables.lake_id()),
    )


def _longest_waiting_sql(limit: int) -> str:
    """A row for each message of the emissions that have waited longest; no value is read.

    An emission whose run has landed waits no more.
    """
    return f"""
        SELECT w.*, p.grain, p.first_row, p.n_rows, p.row_counts
        FROM (
            SELECT *, count(*) OVER () AS total
            FROM (
                SELECT k.pipeline, k.run_id, k.emission_id,
                       min(k.timestamp) AS since, count(*) AS messages
                FROM pending k
                LEFT ANTI JOIN runs r ON r.run_id = k.run_id AND r.pipeline = k.pipeline
                GROUP BY k.pipeline, k.run_id, k.emission_id
            )
            ORDER BY since, pipeline, run_id, emission_id LIMIT {limit:d}
        ) w
        LEFT JOIN pending p
        ON p.pipeline = w.pipeline AND p.run_id = w.run_id AND p.emission_id = w.emission_id
           AND w.messages <= {MOST_MESSAGES:d}
    """  # noqa: S608 - numbers of ours


def _sizes(tables: LakeTables, names: Sequence[str]) -> dict[str, int]:
    counts = [f"SELECT '{table}' AS k, count(*) AS n FROM {table}" for table in names]  # noqa: S608 - names of ours
    return {row["k"]: row["n"] for row in select_rows(tables, " UNION ALL ".join(counts), *names)}


def _most_frequent(tables: LakeTables, column: str, table: str, limit: int) -> dict[str, int]:
    """How many rows of a table have each value of a column, for those that most have."""
    sql = f"""
        SELECT coalesce({column}, '') AS k, count(*) AS n FROM {table}
        GROUP BY 1 ORDER BY n DESC, k LIMIT {limit:d}
    """  # noqa: S608 - names and numbers of ours
    return {row["k"]: row["n"] for row in select_rows(tables, sql, table)}


def _incomplete(rows: Iterable[Mapping[str, Any]]) -> list[IncompleteEmission]:
    by_emission: dict[EmissionKey, list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        by_emission[EmissionKey(row["pipeline"], row["run_id"], row["emission_id"])].append(row)
    waiting = [_waiting(key, messages) for key, messages in by_emission.items()]
    return sorted(waiting, key=lambda e: (e.waiting_since, e.pipeline, e.run_id, e.emission_id))


def _waiting(key: EmissionKey, messages: Sequence[Mapping[str, Any]]) -> IncompleteEmission:
    since, number = messages[0]["since"], messages[0]["messages"]
    if number > MOST_MESSAGES:
        return IncompleteEmission(*key, number, missing=None, waiting_since=since)
    counts = next((m["row_counts"] for m in messages if m["row_counts"]), None)
    emission = Emission(
        key=key,
        # A message may be kept by more than one batch.
        pieces=frozenset(Piece(m["grain"], m["first_row"], m["n_rows"]) for m in messages),
        row_counts=None if counts is None else dict(counts),
        last_arrival=(),
    )
    return IncompleteEmission(*key, number, missing=emission.missing(), waiting_since=since)


def _lag(topics: Topics, lake_id: str) -> dict[str, int]:
    lag: dict[str, int] = defaultdict(int)
    topics.require_runs()  # of topics that a user may not see, nothing would be told
    landed = topics.committed(consumer_group(lake_id))
    for (topic, _), behind in topics.lag(landed).items():
        lag[topic] += behind
    return dict(sorted(lag.items()))
