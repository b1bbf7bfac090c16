"""A lake of a fleet, written by delta-rs in many commits, and all that may befall one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from shutil import rmtree
from typing import Any

import pyarrow as pa
from deltalake import DeltaTable, write_deltalake

from conformare_schemas import (
    GRAINS,
    RUN_GRAINS,
    acknowledgements_table,
    arrow_schema,
    table_columns,
)
from support.fleet.history import History, Row
from support.fleet.invented import Emission, all_rows

ACKNOWLEDGEMENTS = acknowledgements_table()
RunId = tuple[str, str]
"""Pipeline and run_id."""


class FleetLake:
    """Tables of a lake, and beside them what they should hold.

    Args:
        root: The lake's folder, or its URL.
        prefix: What the names of its tables begin with.
        options: Settings of its store.
    """

    def __init__(self, root: str | Path, prefix: str = "", **options: str) -> None:
        self.root = str(root)
        self._prefix = prefix
        self._options = options or None
        self.landed: list[Emission] = []
        self.acknowledged: list[Row] = []
        for grain in GRAINS:
            self._append(grain, [])

    @property
    def history(self) -> History:
        """All that is in it."""
        return History({**all_rows(self.landed), ACKNOWLEDGEMENTS.name: self.acknowledged})

    def land(self, emissions: Sequence[Emission]) -> None:
        """Append emissions, a commit for each table, `runs` last."""
        rows = all_rows(emissions)
        for grain in sorted(GRAINS, key=lambda one: one == "runs"):
            if rows[grain]:
                self._append(grain, rows[grain])
        self.landed += emissions

    def purge(self, runs: Iterable[RunId]) -> None:
        """Delete all rows of some runs, those of `runs` first."""
        gone = set(runs)
        pairs = [f"(pipeline = {_text(p)} AND run_id = {_text(r)})" for p, r in sorted(gone)]
        for grain in RUN_GRAINS:  # `runs` first
            self.table(grain).delete(" OR ".join(pairs))
        self.landed = [one for one in self.landed if _id_of(one) not in gone]

    def lose(self, grain: str, emission: Emission) -> None:
        """Delete the rows that one emission has in one table."""
        pipeline, run_id = _id_of(emission)
        self.table(grain).delete(f"pipeline = {_text(pipeline)} AND run_id = {_text(run_id)}")
        place = self.landed.index(emission)
        self.landed[place] = Emission({**emission.tables, grain: []})

    def compact(self) -> None:
        """Write every table's rows into few files, and remove the old ones."""
        for grain in GRAINS:
            self.table(grain).optimize.compact()
            self.table(grain).vacuum(0, dry_run=False, enforce_retention_duration=False)

    def forget_log(self) -> None:
        """Make a checkpoint of every table, and remove the commits before it."""
        for grain in GRAINS:
            table = self.table(grain)
            table.create_checkpoint()
            for commit in Path(table.table_uri.removeprefix("file://"), "_delta_log").glob(
                "*.json"
            ):
                if int(commit.stem) < table.version():
                    commit.unlink()

    def versions(self) -> dict[str, int]:
        """Return the version of every table, to come back to by `restore`."""
        return {grain: self.table(grain).version() for grain in GRAINS}

    def restore(self, versions: dict[str, int], landed: Sequence[Emission]) -> None:
        """Bring every table back to a version, at which some emissions had landed."""
        for grain, version in versions.items():
            table = self.table(grain)
            if table.version() > version:
                table.restore(version)
        self.landed = list(landed)

    def replace(self, emissions: Sequence[Emission]) -> None:
        """Remove the lake, and make it anew."""
        for grain in GRAINS:
            rmtree(Path(self.root, f"{self._prefix}{grain}"))
            self._append(grain, [])
        self.landed = []
        self.land(emissions)

    def table(self, grain: str) -> DeltaTable:
        """Return a table as deltalake has it."""
        return DeltaTable(self._uri(grain), storage_options=self._options)

    def _append(self, grain: str, rows: Sequence[Row]) -> None:
        schema = arrow_schema(table_columns(grain))
        content = pa.Table.from_pylist(list(rows), schema=schema)
        write_deltalake(self._uri(grain), content, mode="append", storage_options=self._options)

    def _uri(self, grain: str) -> str:
        return f"{self.root}/{self._prefix}{grain}"


def _id_of(emission: Emission) -> RunId:
    key: Any = next(rows[0] for rows in emission.tables.values() if rows)
    return key["pipeline"], key["run_id"]


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
