"""What a lake holds and what it waits for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from conformare_schemas import GRAINS
from conformare_sink.kafka.topics import Topics, consumer_group
from conformare_sink.lake.own_tables import PENDING, QUARANTINE
from conformare_sink.lake.query import query_lake
from conformare_sink.messages.emission import Emission, EmissionKey, Piece

if TYPE_CHECKING:
    from conformare_sink.lake.tables import LakeTables


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


def read_status(lake: str | LakeTables, topics: Topics | None = None) -> LakeStatus:
    """Read what a lake holds.

    Args:
        lake: Folder of the lake, a local path or a URI; its tables where they are in a catalog.
        topics: The lake's topics, for the lag; None for not asking a broker.

    Raises:
        NoLakeError: There is no lake.
        LakeRefusedError: Its tables are elsewhere.
        BrokerUnreachableError: No broker answers.
    """
    query = query_lake(lake)
    # A lake that only jobs have written to has neither.
    waiting = query.rows(_PENDING_SQL, PENDING.name, "runs") if query.has(PENDING.name) else []
    unusable = query.rows(_QUARANTINE_SQL, QUARANTINE.name) if query.has(QUARANTINE.name) else []
    return LakeStatus(
        lake=query.root,
        runs_by_status=_counts(query.rows(_RUNS_SQL, "runs")),
        rows_by_grain={
            grain: query.rows(f"SELECT count(*) AS n FROM {grain}", grain)[0]["n"]  # noqa: S608 - our own names
            for grain in GRAINS
        },
        incomplete=tuple(_incomplete(waiting)),
        quarantined_by_cause=_counts(unusable),
        lag_by_topic=None if topics is None else _lag(topics, query.lake_id()),
    )


_RUNS_SQL = "SELECT status AS k, count(*) AS n FROM runs GROUP BY 1"

# An emission whose run has landed waits no more.
_PENDING_SQL = """
SELECT p.pipeline, p.run_id, p.emission_id, p.grain, p.first_row, p.n_rows,
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
            # A message may be kept by more than one batch.
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
