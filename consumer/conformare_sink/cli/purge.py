"""`conformare purge`: runs, or what was declared of a location, deleted for good."""

from __future__ import annotations

from datetime import datetime
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
    utc,
)
from conformare_sink.cli._console import readable_errors, show_line, show_table, waiting
from conformare_sink.cli._lake import found_lake, opened_lake

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
            help="Only runs that were recorded, or risks that were declared, before this time.",
        ),
    ] = None,
    location: Annotated[
        str | None,
        typer.Option(
            envvar="CONFORMARE_LOCATION",
            help="In place of runs, what was declared of this location, as source_risks has it.",
        ),
    ] = None,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", envvar="CONFORMARE_DRY_RUN", help="Only tell what would go."),
    ] = False,
    storage_options: Storage = ENVIRONMENT,
    catalog: Catalog = None,
    schema: Schema = None,
    table_prefix: TablePrefix = "",
) -> None:
    """Delete runs from every table, so that nothing brings them back.

    At least one condition is needed; of several, all must hold.
    """
    if location is not None and (run_id or pipeline is not None):
        raise typer.BadParameter(
            "--location deletes what was declared of a place, not runs: leave out --run-id and --pipeline"
        )
    if not run_id and pipeline is None and before is None and location is None:
        raise typer.BadParameter("say which runs: --run-id, --pipeline or --before")
    tables_at = catalog_options(catalog, schema, table_prefix)
    # Spark takes a second to import; a wrong option should not wait for it.
    from conformare_sink.lake.purge import Purge, rehearse_purge

    chosen = Purge(run_ids=tuple(run_id or ()), pipeline=pipeline, before=before, location=location)
    if dry_run:
        with found_lake(lake, storage_options, tables_at) as tables, waiting("Counting"):
            found = rehearse_purge(tables, chosen)
    else:
        with (
            opened_lake(lake, storage_options, tables_at, "a purge") as opened,
            waiting("Deleting"),
        ):
            found = opened.purge(chosen)
    if not found.runs and not found.declarations and not found.quarantined:
        if location is not None:
            show_line("nothing was declared of this location; nothing was deleted")
            return
        remembered = chosen.is_of_run_ids_alone and not dry_run
        done = "it will not land either" if remembered else "nothing was deleted"
        show_line(f"no such run; {done}")
        return
    _print(found, dry_run=dry_run)


def _print(found: Purged, *, dry_run: bool) -> None:
    if found.runs:
        show_table(
            "Would be deleted" if dry_run else "Deleted",
            ("pipeline", "runs", "rows"),
            [(name, runs, found.rows.get(name, 0)) for name, runs in found.runs.items()],
        )
    verb = "would be deleted" if dry_run else "deleted"
    if found.declarations:
        show_line(f"{found.declarations} declaration(s) {verb}")
    if found.quarantined:
        show_line(f"{found.quarantined} message(s) in quarantine {verb}")
    if not dry_run:
        show_line(
            "Their bytes leave the disk with `conformare maintain` once they are older than its "
            "retention; the topics keep their messages until their own retention is over."
        )
