"""`conformare purge`: runs deleted for good."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from conformare_sink.cli._arguments import (
    Catalog,
    Lake,
    Schema,
    TablePrefix,
    catalog_options,
    utc,
)
from conformare_sink.cli._console import err, out, readable_errors
from conformare_sink.cli._lake import lake_tables, opened_lake

if TYPE_CHECKING:
    from conformare_sink.lake.purge import Purged


@readable_errors
def purge(
    lake: Lake,
    run_id: Annotated[
        list[str] | None,
        typer.Option(envvar="CONFORMARE_RUN_ID", help="Only this run; may be given repeatedly."),
    ] = None,
    pipeline: Annotated[
        str | None,
        typer.Option(envvar="CONFORMARE_PIPELINE", help="Only runs of this pipeline."),
    ] = None,
    before: Annotated[
        datetime | None,
        typer.Option(
            envvar="CONFORMARE_BEFORE",
            parser=utc,
            metavar="ISO",
            help="Only runs that were recorded before this time.",
        ),
    ] = None,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", envvar="CONFORMARE_DRY_RUN", help="Only tell what would go."),
    ] = False,
    catalog: Catalog = None,
    schema: Schema = None,
    table_prefix: TablePrefix = "",
) -> None:
    """Delete runs from every table, so that nothing brings them back.

    At least one condition is needed; of several, all must hold.
    """
    if not run_id and pipeline is None and before is None:
        raise typer.BadParameter("say which runs: --run-id, --pipeline or --before")
    tables_at = catalog_options(catalog, schema, table_prefix)
    # Spark takes a second to import; a wrong option should not wait for it.
    from conformare_sink.lake.purge import Purge, rehearse_purge

    chosen = Purge(run_ids=tuple(run_id or ()), pipeline=pipeline, before=before)
    if dry_run:
        with lake_tables(lake, tables_at) as tables, err.status("Counting"):
            found = rehearse_purge(tables, chosen)
    else:
        with opened_lake(lake, tables_at, "a purge") as opened, err.status("Deleting"):
            found = opened.purge(chosen)
    if not found.runs and not found.quarantined:
        remembered = chosen.is_of_run_ids_alone and not dry_run
        done = "it will not land either" if remembered else "nothing was deleted"
        out.print(f"no such run; {done}")
        return
    _print(found, dry_run=dry_run)


def _print(found: Purged, *, dry_run: bool) -> None:
    if found.runs:
        title = "Would be deleted" if dry_run else "Deleted"
        table = Table("pipeline", title=title, title_justify="left")
        table.add_column("runs", justify="right")
        table.add_column("rows", justify="right")
        for pipeline, runs in found.runs.items():
            table.add_row(pipeline, f"{runs:,}", f"{found.rows.get(pipeline, 0):,}")
        out.print(table)
    if found.quarantined:
        verb = "would be deleted" if dry_run else "deleted"
        out.print(f"{found.quarantined} message(s) in quarantine {verb}")
    if not dry_run:
        out.print(
            "Their bytes leave the disk with `conformare maintain` once they are older than its "
            "retention; the topics keep their messages until their own retention is over."
        )
