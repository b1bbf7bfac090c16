"""`conformare maintain`: what a running sink does of itself, for a lake without one."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from conformare_sink.cli._arguments import Catalog, Lake, Schema, TablePrefix, catalog_options
from conformare_sink.cli._console import FAILURE, err, out, readable_errors
from conformare_sink.cli._lake import opened_lake
from conformare_sink.options import DEFAULT_RETENTION_HOURS

if TYPE_CHECKING:
    from conformare_sink.lake.maintenance import MaintenanceReport


@readable_errors
def maintain(
    lake: Lake,
    retention_hours: Annotated[
        int,
        typer.Option(
            envvar="CONFORMARE_RETENTION_HOURS",
            min=0,
            help="How long files stay that the newest version of a table does not need.",
        ),
    ] = DEFAULT_RETENTION_HOURS,
    catalog: Catalog = None,
    schema: Schema = None,
    table_prefix: TablePrefix = "",
) -> None:
    """Put small files together and delete what nobody needs; a running sink does it of itself."""
    tables_at = catalog_options(catalog, schema, table_prefix)
    logging.basicConfig(format="%(message)s")
    with opened_lake(lake, tables_at, "a maintenance") as opened, err.status("Maintaining"):
        from conformare_sink.lake.maintenance import Maintenance

        report = Maintenance(opened, retention_hours).run_once()
    _print(report)
    for fault in report.faults:
        err.print(f"error: {fault}", markup=False, style=None)
    if report.faults:
        raise typer.Exit(FAILURE)


def _print(report: MaintenanceReport) -> None:
    table = Table("table")
    for column in ("put together", "into", "deleted", "of its log deleted"):
        table.add_column(column, justify="right")
    for one in report.tables:
        counts = (one.compacted, one.compacted_into, one.deleted, one.log_deleted)
        table.add_row(one.table, *(f"{n:,}" for n in counts))
    out.print(table)
    out.print(report.summary())
