"""A store in memory, which a test can look into."""

from __future__ import annotations

import threading
from typing import Any

from conformare._run_writer import RunRecord, is_declaration
from conformare_schemas import GRAINS


class InMemoryWriter:
    """Keeps every record in memory. Like a store, it keeps only the first record of a run.

    Attributes:
        records: What was recorded, oldest first: each grain → rows; of a declaration, `source_risks`
            alone.
    """

    def __init__(self) -> None:
        self.records: list[RunRecord] = []
        self._lock = threading.Lock()

    def write(self, record: RunRecord) -> None:
        """Keep a record, unless its run is there already."""
        with self._lock:
            if is_declaration(record):
                self.records.append(record)
                return
            run = record["runs"][0]
            if not self.has_run(run["pipeline"], run["run_id"]):
                self.records.append(record)

    def has_run(self, pipeline: str, run_id: str) -> bool:
        """Return whether a run was recorded."""
        return any(
            (run["pipeline"], run["run_id"]) == (pipeline, run_id) for run in self.rows("runs")
        )

    def rows(self, grain: str) -> list[dict[str, Any]]:
        """Return the rows of a grain over all records, oldest first.

        Raises:
            KeyError: There is no such grain.
        """
        return [row for record in self._of(grain) for row in record[grain]]

    def last(self, grain: str) -> list[dict[str, Any]]:
        """Return the rows of a grain of the run, or of the declaration, that was recorded last.

        Raises:
            AssertionError: None was recorded.
            KeyError: There is no such grain.
        """
        if not (recorded := self._of(grain)):
            raise AssertionError("no run was recorded")
        return recorded[-1][grain]

    def _of(self, grain: str) -> list[RunRecord]:
        """Return the records that have a grain: those of runs, or those of declarations."""
        if grain not in GRAINS:
            raise KeyError(grain)
        return [record for record in self.records if grain in record]
