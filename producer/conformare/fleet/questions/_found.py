"""The run that is meant by an id."""

from __future__ import annotations

from conformare._errors import FleetError
from conformare.fleet._fleet import Fleet
from conformare.fleet.stores import Row


def found_run(fleet: Fleet, run_id: str, pipeline: str | None = None) -> Row:
    """Return the run with an id.

    Args:
        fleet: The fleet.
        run_id: Its id.
        pipeline: Whose, where several pipelines have a run of that id.

    Raises:
        FleetError: There is none, or it is not told which one is meant.
    """
    runs = [run for run in fleet.store.found(run_id) if pipeline in (None, run["pipeline"])]
    if not runs:
        of = f" of {pipeline}" if pipeline else ""
        raise FleetError(f"{fleet.store.place} has no run {run_id!r}{of}: correct the run_id")
    if len(runs) > 1:
        names = ", ".join(run["pipeline"] for run in runs)
        raise FleetError(f"several pipelines have a run {run_id!r}: name one of them, {names}")
    return runs[0]
