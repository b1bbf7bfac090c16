"""Sensitive columns: which pipelines write them where, and who reads them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

from conformare.capture import scan_columns
from conformare.fleet._fleet import EVERYTHING, Filters, Fleet, run_key
from conformare.fleet.questions._places import place_of, read_at
from conformare.fleet.stores import PipelineKey, Row, pipeline_order


@dataclass(frozen=True)
class SensitiveSink:
    """A place into which sensitive columns are written.

    Attributes:
        n_sensitive: How many sensitive columns the run itself counted.
        columns: Those whose names say what they hold; the run may have counted others, which
            somebody had marked.
        readers: Pipelines that read the place, and their environment.
    """

    location: str
    pipeline: str
    env: str | None
    run_id: str
    ts: datetime
    n_sensitive: int
    columns: tuple[str, ...]
    readers: tuple[PipelineKey, ...]


def sensitive(
    fleet: Fleet, filters: Filters = EVERYTHING, *, as_of: datetime | None = None
) -> list[SensitiveSink]:
    """Return where sensitive columns are written, by location.

    Args:
        fleet: The fleet.
        filters: Which pipelines write them.
        as_of: By the newest runs of that time; by those of now when not given.
    """
    sinks, sources = _rows(fleet, "sinks", as_of), _rows(fleet, "sources", as_of)
    readers: dict[str, set[PipelineKey]] = defaultdict(set)
    for row in sources:
        for location in read_at(row["location"]):
            readers[place_of(location)].add(PipelineKey(row["pipeline"], row["env"]))
    chosen = set(fleet.chosen(filters))
    found = [
        SensitiveSink(
            row["location"],
            row["pipeline"],
            row["env"],
            row["run_id"],
            row["ts"],
            row["n_sensitive"],
            tuple(sorted(scan_columns(row["columns"] or ()))),
            tuple(sorted(readers[place_of(row["location"])], key=pipeline_order)),
        )
        for row in sinks
        if row["n_sensitive"] and PipelineKey(row["pipeline"], row["env"]) in chosen
    ]
    return sorted(
        found,
        key=lambda one: (
            one.location,
            pipeline_order(PipelineKey(one.pipeline, one.env)),
            one.n_sensitive,
            one.columns,
        ),
    )


def _rows(fleet: Fleet, grain: str, as_of: datetime | None) -> list[Row]:
    if as_of is None:
        return [row for rows in fleet.rows(grain).values() for row in rows]
    runs = fleet.store.newest_runs(1, as_of)
    return fleet.store.rows_of(grain, [run_key(run) for run in runs])
