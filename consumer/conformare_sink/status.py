"""What a lake holds and what it waits for, read without Spark."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from deltalake import DeltaTable, QueryBuilder
from deltalake.exceptions import TableNotFoundError

from conformare_schemas import GRAINS, table_path
from conformare_sink.emission import Emission, EmissionKey, Piece
from conformare_sink.errors import NoLakeError
from conformare_sink.lake_tables import PENDING, QUARANTINE
from conformare_sink.topics import Topics, consumer_group


@dataclass(frozen=True)
class IncompleteEmission:
    """An emission that waits for the rest of its messages."""

    pipeline: str
    run_id: str
    emission_id: str
    missing: Mapping[str, int]
    """Rows that are missing, by grain."""
    waiting_since: datetime
    """When the broker took its first message."""


@dataclass(frozen=True)
class LakeStatus:
    """What a lake holds and what it waits for."""

    lake: str
    runs_by_status: Mapping[str, int]
    rows_by_grain: Mapping[str, int]
    incomplete: tuple[IncompleteEmission, ...]
    quarantined_by_cause: Mapping[str, int]
    lag_by_topic: Mapping[str, int] | None
    """Messages that the sink has not landed yet; None when no broker was asked."""


def read_status(lake: str, topics: Topics | None = None) -> LakeStatus:
    """Read what a lake holds.

    Args:
        lake: Folder of the lake: a local path or a URI.
        topics: The lake's topics, for the lag; None for not asking a broker.

    Raises:
        NoLakeError: There is no lake.
        BrokerUnreachableError: No broker answers.
    """
    try:
        tables = {name: DeltaTable(table_path(lake, name)) for name in GRAINS}
    except TableNotFoundError as exc:
        raise NoLakeError(f"there is no conformare lake at {lake}") from exc
    with suppress(TableNotFoundError):  # a lake that only jobs have written to has neither
        for name in (PENDING.name, QUARANTINE.name):
            tables[name] = DeltaTable(table_path(lake, name))
    query = QueryBuilder()
    for name, table in tables.items():
        query = query.register(name, table)

    def rows(sql: str) -> list[dict[str, Any]]:
        batches = query.execute(sql).read_all()
        return [
            dict(zip(batches.column_names, values, strict=True))
            for values in zip(*(column.to_pylist() for column in batches.columns), strict=True)
        ]

    return LakeStatus(
        lake=lake,
        runs_by_status=_counts(rows("SELECT status AS k, count(*) AS n FROM runs GROUP BY 1")),
        rows_by_grain={
            grain: rows(f"SELECT count(*) AS n FROM {grain}")[0]["n"]  # noqa: S608 - our own names
            for grain in GRAINS
        },
        incomplete=tuple(_incomplete(rows(_PENDING_SQL))) if PENDING.name in tables else (),
        quarantined_by_cause=_counts(rows(_QUARANTINE_SQL)) if QUARANTINE.name in tables else {},
        lag_by_topic=None if topics is None else _lag(topics, str(tables["runs"].metadata().id)),
    )


# A message may be kept by more than one batch; an emission whose run has landed waits no more.
_PENDING_SQL = """
SELECT DISTINCT p.pipeline, p.run_id, p.emission_id, p.grain, p.first_row, p.n_rows,
       p.row_counts, p.timestamp
FROM pending p LEFT ANTI JOIN runs r ON r.run_id = p.run_id AND r.pipeline = p.pipeline
"""

_QUARANTINE_SQL = "SELECT cause AS k, count(*) AS n FROM quarantine GROUP BY 1"


def _counts(rows: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    return {row["k"]: row["n"] for row in sorted(rows, key=lambda row: str(row["k"]))}


def _incomplete(rows: Iterable[Mapping[str, Any]]) -> list[IncompleteEmission]:
    by_emission: dict[EmissionKey, list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        by_emission[EmissionKey(row["pipeline"], row["run_id"], row["emission_id"])].append(row)
    waiting = []
    for key, messages in sorted(by_emission.items()):
        counts = next((m["row_counts"] for m in messages if m["row_counts"]), None)
        emission = Emission(
            key=key,
            pieces=frozenset(Piece(m["grain"], m["first_row"], m["n_rows"]) for m in messages),
            row_counts=None if counts is None else dict(counts),
            last_arrival=(max(m["timestamp"] for m in messages),),
        )
        since = min(m["timestamp"] for m in messages)
        waiting.append(IncompleteEmission(*key, missing=emission.missing(), waiting_since=since))
    return waiting


def _lag(topics: Topics, lake_id: str) -> dict[str, int]:
    lag: dict[str, int] = defaultdict(int)
    landed = topics.committed(consumer_group(lake_id))
    for (topic, _), behind in topics.lag(landed).items():
        lag[topic] += behind
    return dict(sorted(lag.items()))
