"""A store whose rows are in memory: those of records, or of a folder of files."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cached_property

from conformare._errors import FleetError
from conformare.fleet.stores._order import by_pipeline, order_of, segments_of
from conformare.fleet.stores._store import (
    Changes,
    ContextKey,
    ExpectationCount,
    OwnerSeen,
    PipelineKey,
    Row,
    RunKey,
    Segment,
    is_evaluated,
    strip_of,
)
from conformare_schemas import CHILD_GRAINS


class RowStore:
    """Rows in memory.

    Args:
        place: Where they are from, for a person.
        tables: Rows by grain; of a run that is in `runs` twice, the first counts.
        acknowledge: Where to put an acknowledgement beside; None where it cannot be kept.
    """

    def __init__(
        self,
        place: str,
        tables: Mapping[str, Sequence[Row]],
        acknowledge: Callable[[Row], None] | None = None,
    ) -> None:
        self.place = place
        self._tables = {grain: list(rows) for grain, rows in tables.items()}
        self._runs: dict[RunKey, Row] = {}
        for run in self._tables.get("runs", ()):
            self._runs.setdefault(RunKey(run["pipeline"], run["run_id"]), run)
        self._keep = acknowledge

    def newest_runs(self, depth: int, until: datetime | None = None) -> list[Row]:
        """See `FleetStore`."""
        runs = (run for run in self._runs.values() if until is None or run["ts"] <= until)
        chosen = by_pipeline(runs).values()
        return [strip_of(run) for of_pipeline in chosen for run in of_pipeline[:depth]]

    def run_counts(self) -> Mapping[PipelineKey, int]:
        """See `FleetStore`."""
        return Counter(PipelineKey(run["pipeline"], run["env"]) for run in self._runs.values())

    def run_keys(self, since: datetime | None = None) -> Iterator[RunKey]:
        """See `FleetStore`."""
        runs = (run for run in self._runs.values() if since is None or run["ts"] >= since)
        return (RunKey(run["pipeline"], run["run_id"]) for run in sorted(runs, key=order_of))

    def last_healthy(self, *, evaluated: bool) -> list[Row]:
        """See `FleetStore`."""
        healthy = (
            run
            for run in self._runs.values()
            if run["status"] == "healthy" and (not evaluated or is_evaluated(run))
        )
        return [strip_of(runs[0]) for runs in by_pipeline(healthy).values()]

    def segments(
        self, pipelines: Collection[str] | None = None
    ) -> Mapping[ContextKey, Sequence[Segment]]:
        """See `FleetStore`."""
        return segments_of(_of(self._with_env("contexts"), pipelines))

    def contexts_at(self, times: Collection[tuple[str, datetime]]) -> list[Row]:
        """See `FleetStore`."""
        asked = set(times)
        return [row for row in self._with_env("contexts") if (row["pipeline"], row["ts"]) in asked]

    def rows_of(self, grain: str, runs: Collection[RunKey]) -> list[Row]:
        """See `FleetStore`."""
        return [row for run in runs for row in self._by_run[grain].get(run, ())]

    def history(
        self,
        pipeline: str,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int | None = None,
    ) -> list[Row]:
        """See `FleetStore`."""
        runs = [
            run
            for run in _of(self._runs.values(), {pipeline})
            if (since is None or run["ts"] >= since) and (until is None or run["ts"] <= until)
        ]
        return sorted(runs, key=order_of, reverse=True)[:limit]

    def found(self, run_id: str) -> list[Row]:
        """See `FleetStore`."""
        return [run for key, run in sorted(self._runs.items()) if key.run_id == run_id]

    def expectation_counts(self, since: datetime) -> list[ExpectationCount]:
        """See `FleetStore`."""
        answers: dict[tuple[str, str | None, str, str | None], list[bool | None]] = defaultdict(
            list
        )
        for row in self._with_env("expectations"):
            if row["ts"] >= since:
                key = (row["pipeline"], row["env"], row["expectation"], row["column"])
                answers[key].append(row["success"])
        return [
            ExpectationCount(*key, len(found), found.count(False), found.count(None))
            for key, found in answers.items()
        ]

    def owners_seen(self) -> list[OwnerSeen]:
        """See `FleetStore`."""
        newest: dict[tuple[str, str], datetime] = {}
        for row in self._with_env("owners"):
            key = row["owner"], row["pipeline"]
            newest[key] = max(newest.get(key, row["ts"]), row["ts"])
        return [OwnerSeen(owner, pipeline, ts) for (owner, pipeline), ts in newest.items()]

    def acknowledgements(self) -> list[Row]:
        """See `FleetStore`."""
        return self._tables.get("acknowledgements", [])

    def source_risks(self) -> list[Row]:
        """See `FleetStore`."""
        return self._tables.get("source_risks", [])

    def acknowledge(self, row: Row) -> None:
        """See `FleetStore`."""
        if self._keep is None:
            raise FleetError(f"{self.place} cannot keep an acknowledgement: open a store instead")
        self._keep(row)
        self._tables.setdefault("acknowledgements", []).append(row)

    def whole(self, grain: str) -> list[Row]:
        """See `FleetStore`."""
        if grain not in CHILD_GRAINS or grain == "source_risks":
            return list(self._runs.values()) if grain == "runs" else self._tables.get(grain, [])
        return list(self._with_env(grain))

    def changes(self) -> Changes | None:
        """See `FleetStore`; what is in memory stays as it is."""
        return Changes()

    def _with_env(self, grain: str) -> Iterable[Row]:
        return (row for rows in self._by_run[grain].values() for row in rows)

    @cached_property
    def _by_run(self) -> dict[str, dict[RunKey, list[Row]]]:
        """The rows of runs that are there, by grain and run."""
        found: dict[str, dict[RunKey, list[Row]]] = defaultdict(lambda: defaultdict(list))
        for grain, rows in self._tables.items():
            for row in rows:
                run = self._runs.get(RunKey(row.get("pipeline", ""), row.get("run_id", "")))
                if run is not None and row.get("emission_id") == run.get("emission_id"):
                    key = RunKey(run["pipeline"], run["run_id"])
                    found[grain][key].append({**row, "env": run["env"]})
        return found


def _of(rows: Iterable[Row], pipelines: Collection[str] | None) -> list[Row]:
    return [row for row in rows if pipelines is None or row["pipeline"] in pipelines]
