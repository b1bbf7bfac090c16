"""`conformare maintain`: what a running sink does of itself, for a lake without one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from conformare_schemas.settings.command_line import command_of
from conformare_sink.cli._console import (
    FAILURE,
    readable_errors,
    show_line,
    show_table,
    tell,
    waiting,
)
from conformare_sink.cli._lake import opened_lake
from conformare_sink.cli.settings import MaintainSettings

if TYPE_CHECKING:
    from conformare_sink.lake.maintenance import MaintenanceReport


@command_of(MaintainSettings)
@readable_errors
def maintain(given: MaintainSettings) -> None:
    """Compact small files and delete unneeded ones; a running sink does this by itself."""
    with (
        opened_lake(given, "a maintenance") as opened,
        waiting("Maintaining"),
    ):
        from conformare_sink.lake.maintenance import Maintenance

        report = Maintenance(opened, given.retention_hours).run_once()
    _print(report)
    for fault in report.faults:
        tell(f"error: {fault}")
    if report.faults:
        raise typer.Exit(FAILURE)


def _print(report: MaintenanceReport) -> None:
    show_table(
        "",
        ("table", "put together", "into", "deleted", "of its log deleted"),
        [
            (one.table, one.compacted, one.compacted_into, one.deleted, one.log_deleted)
            for one in report.tables
        ],
    )
    show_line(report.summary())
