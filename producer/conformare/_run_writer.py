"""The seam between recording a run and where it goes; free of what takes time to import."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

RunRecord = dict[str, list[dict[str, Any]]]
"""What every writer takes, grain → rows: the grains of a run, or `source_risks` alone."""


class RunWriter(Protocol):
    """Somewhere a record can go; any object with `write` will do as `dest`."""

    def write(self, record: RunRecord) -> None:
        """Store a record, or hand it on."""


def run_id_of(record: RunRecord) -> str:
    """Return the run_id of a record.

    Raises:
        ValueError: It is of no run, as what `record_source_risk` returns.
    """
    if not record.get("runs"):
        raise ValueError("the record belongs to no run: it has no row in runs")
    run_id: str = record["runs"][0]["run_id"]
    return run_id


def is_declaration(record: Mapping[str, Sequence[Mapping[str, Any]]]) -> bool:
    """Return whether a record is of no run: what `record_source_risk` returns."""
    return not record.get("runs")
