"""Rows of children whose run is gone: somebody has deleted it from `runs` by hand.

A replay would bring the run, and its children a second time. So children are looked for before any
are appended. A run that is recorded now is younger than all that was there when the lake was opened,
and costs no look; an old one is looked for among rows of its time.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from conformare_schemas import CHILD_GRAINS
from conformare_sink.lake.tables.data_file import DataFile
from conformare_sink.lake.tables.sql import microseconds_of, sql_moment
from conformare_sink.lake.tables.tables import LakeTables, select_all
from conformare_sink.messages.emission import RunKey


class Leftovers:
    """Finds children that are there without their run.

    Args:
        tables: The lake's tables.
    """

    def __init__(self, tables: LakeTables) -> None:
        self._tables = tables
        self._newest: dict[str, Any] | None = None

    def look_again(self) -> None:
        """Take note that somebody else has changed the tables."""
        self._newest = None

    def may_be_among(self, file: DataFile) -> bool:
        """Return whether some runs may have children already, by what is known of their file.

        Args:
            file: A file of `runs`.
        """
        newest = [ts for ts in self._newest_rows().values() if ts is not None]
        told = json.loads(file.statistics)["minValues"]["ts"]
        oldest = microseconds_of(datetime.fromisoformat(told.replace("Z", "+00:00")))
        return bool(newest) and oldest <= max(newest)

    def among(self, runs: pa.Table) -> set[RunKey]:
        """Return which of some runs have children already; the lake does not hold the runs.

        Args:
            runs: Their rows of the table `runs`.
        """
        newest = self._newest_rows()
        ts = runs.column("ts").cast(pa.int64())
        found: set[RunKey] = set()
        for grain in CHILD_GRAINS:
            if newest[grain] is None:
                continue
            old = runs.filter(pc.less_equal(ts, newest[grain]))
            if old.num_rows:
                found |= self._with_children(grain, old)
        return found

    def _newest_rows(self) -> dict[str, Any]:
        self._newest = self._newest or self._look()
        return self._newest

    def _look(self) -> dict[str, Any]:
        """Return the youngest `ts` of every table, in microseconds."""
        newest = {}
        for grain in CHILD_GRAINS:
            sql = f"SELECT max(ts) AS newest FROM {grain}"  # noqa: S608 - our own words
            column = select_all(self._tables, sql, grain).column("newest")
            newest[grain] = column.cast(pa.timestamp("us", "UTC")).cast(pa.int64())[0].as_py()
        return newest

    def _with_children(self, grain: str, runs: pa.Table) -> set[RunKey]:
        ends = pc.min_max(runs.column("ts").cast(pa.int64())).as_py()
        first, last = (sql_moment(ends[end], self._tables.dialect) for end in ("min", "max"))
        sql = f"SELECT DISTINCT pipeline, run_id FROM {grain} WHERE ts BETWEEN {first} AND {last}"  # noqa: S608 - numbers
        there = runs_of(select_all(self._tables, sql, grain))
        return there & runs_of(runs)


def runs_of(rows: pa.Table) -> set[RunKey]:
    """Return the runs that rows are of."""
    columns = (rows.column(name).to_pylist() for name in RunKey._fields)
    return set(map(RunKey._make, zip(*columns, strict=True)))
