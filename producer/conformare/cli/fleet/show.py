"""`conformare fleet show`: one run as a whole."""

from __future__ import annotations

from typing import Annotated

import typer

from conformare.cli.fleet._asked import Asked, fleet_command
from conformare.cli.fleet._json import show_json
from conformare.cli.fleet._output import show_table
from conformare.cli.settings import ShowSettings
from conformare.fleet.questions import run_view

_KNOWN = frozenset({"run_id", "pipeline", "ts", "env", "emission_id"})
"""Columns that every row of a run has alike."""


@fleet_command(ShowSettings)
def show(
    asked: Asked[ShowSettings],
    run_id: Annotated[str, typer.Argument(metavar="RUN_ID", help="The run.")],
) -> None:
    """Print every row of a run, and what changed since the run before it."""
    found = run_view(asked.fleet, run_id, asked.filters.pipeline)
    if asked.as_json:
        show_json(found)
        return
    facts = {"health": found.health, **found.run}
    title = f"Run {found.run['run_id']} of {found.run['pipeline']}"
    show_table(title, ("", ""), list(facts.items()))
    for grain, rows in found.grains.items():
        if rows:
            columns = [name for name in rows[0] if name not in _KNOWN]
            show_table(grain, columns, [[row[name] for name in columns] for row in rows])
    if found.previous is not None:
        show_table(
            f"Changed since run {found.previous['run_id']}",
            ("what", "which", "before", "after"),
            [(one.what, one.name, one.before, one.after) for one in found.changes],
        )
