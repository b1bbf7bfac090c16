"""Rows by grain, as records have them: from records in memory, or read from a store."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timezone
from typing import Any

from conformare._run_writer import RunRecord
from conformare.fleet.stores import FleetStore, Row, RowStore
from conformare.record import parsed_ts, utc_ts
from conformare_schemas import EMISSION_COLUMN, GRAINS, table_columns


class Tables(Mapping[str, list[Row]]):
    """The rows of a store by grain, each grain read when it is asked for.

    Args:
        store: Where they are.
        grains: Which of them; what is left out has no rows.
    """

    def __init__(self, store: FleetStore, grains: Iterable[str] = GRAINS) -> None:
        self.store = store
        self._grains = tuple(grains)
        self._read: dict[str, list[Row]] = {}

    def __getitem__(self, grain: str) -> list[Row]:
        """Return the rows of a grain, `ts` as text."""
        if grain not in self._grains:
            raise KeyError(grain)
        if grain not in self._read:
            rows = sorted(self.store.whole(grain), key=_place)
            self._read[grain] = [as_recorded(row, grain) for row in rows]
        return self._read[grain]

    def __iter__(self) -> Iterator[str]:
        """Yield the grains."""
        return iter(self._grains)

    def __len__(self) -> int:
        """Return how many grains there are."""
        return len(self._grains)


def merge_records(records: Iterable[RunRecord]) -> dict[str, list[Row]]:
    """Return the rows of records by grain; of two records of one run, the first counts.

    Args:
        records: What `to_run_record` and `record_source_risk` return.
    """
    tables: dict[str, list[Row]] = {grain: [] for grain in GRAINS}
    seen: set[tuple[str, str]] = set()
    for record in records:
        runs = {(run["pipeline"], run["run_id"]) for run in record.get("runs", ())}
        if runs & seen:
            continue
        seen |= runs
        for grain, rows in record.items():
            tables[grain] += rows
    return tables


def store_of(tables: Mapping[str, list[Row]]) -> FleetStore:
    """Return a store of rows by grain."""
    if isinstance(tables, Tables):
        return tables.store
    timed = {grain: [timed_row(row) for row in rows] for grain, rows in tables.items()}
    return RowStore("these records", timed)


def timed_row(row: Mapping[str, Any]) -> Row:
    """Return a row of a record with its `ts` as a datetime: in UTC where it names no offset."""
    ts = row["ts"] if isinstance(row["ts"], datetime) else parsed_ts(row["ts"])
    return {**row, "ts": ts if ts.tzinfo is not None else ts.replace(tzinfo=timezone.utc)}


def as_recorded(row: Mapping[str, Any], grain: str) -> Row:
    """Return a row of a grain as records have it, whatever a store keeps beside."""
    columns = [c.name for c in table_columns(grain) if c.name != EMISSION_COLUMN]
    return with_texts_of_times({column: row.get(column) for column in columns})


def with_texts_of_times(row: Mapping[str, Any]) -> Row:
    """Return a row with its times as records write them."""
    return {
        name: utc_ts(value) if isinstance(value, datetime) else value for name, value in row.items()
    }


def _place(row: Row) -> tuple[datetime, str, str]:
    return row["ts"], row.get("pipeline", ""), row.get("run_id", "")
