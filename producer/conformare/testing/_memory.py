"""A store in memory, which a test can look into."""

from __future__ import annotations

import threading
from typing import Any

from conformare._run_writer import RunRecord


class InMemoryWriter:
    """Keeps every record; as a store would, the first of a run only.

    Attributes:
        records: What was recorded, oldest first: each grain → rows.
    """

    def __init__(self) -> None:
        self.records: list[RunRecord] = []
        self._lock = threading.Lock()

    def write(self, record: RunRecord) -> None:
        """Keep a record, unless its run is there already."""
        run = record["runs"][0]
        with self._lock:
            if not self.has_run(run["pipeline"], run["run_id"]):
                self.records.append(record)

    def has_run(self, pipeline: str, run_id: str) -> bool:
        """Return whether a run was recorded."""
        return any(
            (run["pipeline"], run["run_id"]) == (pipeline, run_id) for run in self.rows("runs")
        )

    def rows(self, grain: str) -> list[dict[str, Any]]:
        """Return the rows of a grain over all runs, oldest run first.

        Raises:
            KeyError: There is no such grain.
        """
        return [row for record in self.records for row in record[grain]]

    def last(self, grain: str) -> list[dict[str, Any]]:
        """Return the rows of a grain of the run that was recorded last.

        Raises:
            AssertionError: No run was recorded.
            KeyError: There is no such grain.
        """
        if not self.records:
            raise AssertionError("no run was recorded")
        return self.records[-1][grain]
