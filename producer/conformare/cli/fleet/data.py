"""`conformare fleet impact` and `sensitive`: where data goes."""

from __future__ import annotations

import typer

from conformare.cli.fleet._asked import Asked, fleet_command
from conformare.cli.fleet._output import show_table
from conformare.cli.settings import ImpactSettings, SensitiveSettings
from conformare.fleet import questions
from conformare.fleet.stores import PipelineKey


@fleet_command(ImpactSettings)
def impact(asked: Asked[ImpactSettings]) -> None:
    """Print what is downstream of a run, a pipeline or a location, nearest first."""
    given = asked.settings
    run_id, pipeline, location = given.run_id, given.pipeline, given.location
    start = location or run_id or pipeline
    if start is None or (location is not None and (run_id or pipeline)):
        raise typer.BadParameter("give one of --run, --pipeline and --location")
    found = questions.impact(
        asked.fleet,
        run_id=run_id,
        pipeline=pipeline,
        location=location,
        env=given.env,
        direction="up" if given.upstream else "down",
    )
    way = "upstream" if given.upstream else "downstream"
    if not asked.wants_table(found, f"nothing is {way} of {start}"):
        return
    columns = ("distance", "pipeline", "env", "location", "via", "owners")
    rows = [
        (one.distance, one.pipeline, one.env, one.location, one.via, one.owners) for one in found
    ]
    show_table(f"{way.capitalize()} of {start}", columns, rows)


@fleet_command(SensitiveSettings)
def sensitive(asked: Asked[SensitiveSettings]) -> None:
    """Print where sensitive columns are written, and who reads them."""
    found = questions.sensitive(asked.fleet, asked.filters, as_of=asked.settings.as_of)
    if not asked.wants_table(found, "no run writes a sensitive column"):
        return
    columns = ("location", "written by", "env", "at (UTC)", "sensitive", "columns", "read by")
    rows = [
        (
            one.location,
            one.pipeline,
            one.env,
            one.ts,
            one.n_sensitive,
            one.columns,
            list(map(_named, one.readers)),
        )
        for one in found
    ]
    show_table("Sensitive columns", columns, rows)


def _named(key: PipelineKey) -> str:
    return key.pipeline if key.env is None else f"{key.pipeline} ({key.env})"
