"""`conformare fleet acknowledge`: somebody has reviewed a drift."""

from __future__ import annotations

from typing import Annotated

import typer

from conformare.cli.fleet._asked import Asked, fleet_command
from conformare.cli.fleet._output import show_line
from conformare.cli.settings import AcknowledgeSettings
from conformare.fleet.questions import acknowledged_row


@fleet_command(AcknowledgeSettings)
def acknowledge(
    asked: Asked[AcknowledgeSettings],
    run_id: Annotated[str, typer.Argument(metavar="RUN_ID", help="The run that has the new code.")],
    context: Annotated[str, typer.Argument(metavar="CONTEXT", help="Label of the context.")],
) -> None:
    """Mark a drift as reviewed: this adds a row to the table `acknowledgements`."""
    given = asked.settings
    row = acknowledged_row(
        asked.fleet, run_id, context, by=given.by, note=given.note, pipeline=given.pipeline
    )
    key = row["pipeline"], row["run_id"], row["context_label"]
    if key in asked.fleet.acknowledged():
        show_line(f"it was acknowledged already: {context} in run {run_id} of {row['pipeline']}")
        return
    asked.fleet.acknowledge(row)
    show_line(f"acknowledged: {context} in run {run_id} of {row['pipeline']}")
