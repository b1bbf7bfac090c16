"""`conformare purge`: runs, or what was declared of a location, deleted for good."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from conformare_schemas.settings.command_line import command_of
from conformare_sink.cli._console import readable_errors, show_line, show_table, waiting
from conformare_sink.cli._lake import found_lake, opened_lake
from conformare_sink.cli.settings import PurgeSettings

if TYPE_CHECKING:
    from conformare_sink.lake.purge import Purged


@command_of(PurgeSettings)
@readable_errors
def purge(given: PurgeSettings) -> None:
    """Delete runs from every table, for good.

    Give at least one condition; runs must match all of them.
    """
    run_id, pipeline, before, location = given.run_id, given.pipeline, given.before, given.location
    if location is not None and (run_id or pipeline is not None):
        raise typer.BadParameter(
            "--location deletes what was declared of a place, not runs: leave out --run-id and --pipeline"
        )
    if not run_id and pipeline is None and before is None and location is None:
        raise typer.BadParameter("say which runs: --run-id, --pipeline or --before")
    # Spark takes a second to import; a wrong option should not wait for it.
    from conformare_sink.lake.purge import Purge, rehearse_purge

    chosen = Purge(run_ids=tuple(run_id), pipeline=pipeline, before=before, location=location)
    if given.dry_run:
        with found_lake(given) as tables, waiting("Counting"):
            found = rehearse_purge(tables, chosen)
    else:
        with (
            opened_lake(given, "a purge") as opened,
            waiting("Deleting"),
        ):
            found = opened.purge(chosen)
    if not found.runs and not found.declarations and not found.quarantined:
        if location is not None:
            show_line("nothing was declared of this location; nothing was deleted")
            return
        remembered = chosen.is_of_run_ids_alone and not given.dry_run
        done = "it will not land either" if remembered else "nothing was deleted"
        show_line(f"no such run; {done}")
        return
    _print(found, dry_run=given.dry_run)


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
