"""`conformare maintain`: what a running sink does of itself, for a lake without one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from conformare_sink.cli._arguments import (
    ENVIRONMENT,
    Catalog,
    Lake,
    Schema,
    Storage,
    TablePrefix,
    catalog_options,
)
from conformare_sink.cli._console import (
    FAILURE,
    readable_errors,
    show_line,
    show_table,
    tell,
    waiting,
)
from conformare_sink.cli._lake import opened_lake
from conformare_sink.options import DEFAULT_RETENTION_HOURS

if TYPE_CHECKING:
    from conformare_sink.lake.maintenance import MaintenanceReport

MOST_RETENTION_HOURS = 100 * 366 * 24


@readable_errors
def maintain(
    lake: Lake,
    retention_hours: Annotated[
        int,
        typer.Option(
            envvar="CONFORMARE_RETENTION_HOURS",
            min=0,
            max=MOST_RETENTION_HOURS,
            help="How long files stay that the newest version of a table does not need.",
        ),
    ] = DEFAULT_RETENTION_HOURS,
    storage_options: Storage = ENVIRONMENT,
    catalog: Catalog = None,
    schema: Schema = None,
    table_prefix: TablePrefix = "",
) -> None:
    """Put small files together and delete what nobody needs; a running sink does it of itself."""
    tables_at = catalog_options(catalog, schema, table_prefix)
    with (
        opened_lake(lake, storage_options, tables_at, "a maintenance") as opened,
        waiting("Maintaining"),
    ):
        from conformare_sink.lake.maintenance import Maintenance

        report = Maintenance(opened, retention_hours).run_once()
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
