"""What has been recorded, as lists of rows; what counts of them is looked up run by run."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache, cached_property
from typing import Any

from conformare_schemas import EMISSION_COLUMN, GRAINS, table_columns

Row = dict[str, Any]
Key = tuple[str, str | None]
"""A pipeline, and its environment."""

_EMPTY: dict[str, Any] = {
    "STRING": "",
    "INT": 0,
    "BOOLEAN": False,
    "TIMESTAMP": None,
    "ARRAY<STRING>": [],
    "MAP<STRING,STRING>": {},
}


def row(grain: str, **fields: Any) -> Row:
    """Return a row of a grain; what is not given is empty."""
    empty = _empty(grain)
    if unknown := set(fields) - set(empty):
        raise TypeError(f"{grain} has no {unknown}")
    return {**{name: _copied(value) for name, value in empty.items()}, **fields}


@cache
def _empty(grain: str) -> Row:
    return {column.name: _EMPTY[column.sql_type] for column in table_columns(grain)}


def _copied(value: Any) -> Any:
    return type(value)() if isinstance(value, (list, dict)) else value


class History:
    """All rows that a store has got.

    Args:
        tables: Rows by table; the tables beside the grains are `acknowledgements` and
            `source_risks`.
    """

    def __init__(self, tables: Mapping[str, Sequence[Row]]) -> None:
        self.tables: dict[str, list[Row]] = {name: list(rows) for name, rows in tables.items()}

    @property
    def runs(self) -> list[Row]:
        """Every run, as they came."""
        return self.tables.get("runs", [])

    @cached_property
    def timelines(self) -> dict[Key, list[Row]]:
        """The runs of each pipeline and environment, oldest first."""
        found: dict[Key, list[Row]] = defaultdict(list)
        for run in self.runs:
            found[run["pipeline"], run["env"]].append(run)
        return {key: sorted(runs, key=place_in_time) for key, runs in found.items()}

    def of(self, run: Row, grain: str) -> list[Row]:
        """Return the rows of a run: those of the emission that is in `runs`."""
        wanted = run["pipeline"], run["run_id"], run[EMISSION_COLUMN]
        return self._by_emission.get((grain, *wanted), [])

    def newest(self, as_of: datetime | None = None) -> dict[Key, Row]:
        """Return the newest run of each pipeline and environment, now or at a time."""
        found = {}
        for key, runs in self.timelines.items():
            until = [run for run in runs if as_of is None or run["ts"] <= as_of]
            if until:
                found[key] = until[-1]
        return found

    @cached_property
    def _by_emission(self) -> dict[tuple[str, str, str, str], list[Row]]:
        found: dict[tuple[str, str, str, str], list[Row]] = defaultdict(list)
        for grain in GRAINS:
            for one in self.tables.get(grain, []):
                if "run_id" in one:
                    emission = one["pipeline"], one["run_id"], one[EMISSION_COLUMN]
                    found[(grain, emission[0], emission[1], emission[2])].append(one)
        return found


def place_in_time(run: Row) -> tuple[datetime, str]:
    """Return where a run stands among those of its pipeline."""
    return run["ts"], run["run_id"]


def in_order(keys: Iterable[Key]) -> list[Key]:
    """Return pipelines by name, and no environment before all others."""
    return sorted(keys, key=lambda key: (key[0], key[1] is not None, key[1] or ""))
