"""`conformare fleet impact` and `sensitive`: where data goes."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from conformare.cli.fleet._asked import FILTERS, Asked, fleet_command
from conformare.cli.fleet._options import last_moment
from conformare.cli.fleet._output import show_table
from conformare.fleet import questions
from conformare.fleet.stores import PipelineKey


@fleet_command("pipeline", "env", "as_json")
def impact(
    asked: Asked,
    run_id: Annotated[
        str | None, typer.Option("--run", metavar="RUN_ID", help="From what this run wrote.")
    ] = None,
    location: Annotated[
        str | None, typer.Option("--location", help="From this location, in any spelling.")
    ] = None,
    upstream: Annotated[
        bool, typer.Option("--upstream", help="Against the flow: what it is made from.")
    ] = False,
) -> None:
    """Print what is downstream of a run, a pipeline or a location, nearest first."""
    pipeline = asked.filters.pipeline
    start = location or run_id or pipeline
    if start is None or (location is not None and (run_id or pipeline)):
        raise typer.BadParameter("give one of --run, --pipeline and --location")
    found = questions.impact(
        asked.fleet,
        run_id=run_id,
        pipeline=pipeline,
        location=location,
        env=asked.filters.env,
        direction="up" if upstream else "down",
    )
    way = "upstream" if upstream else "downstream"
    if not asked.wants_table(found, f"nothing is {way} of {start}"):
        return
    columns = ("distance", "pipeline", "env", "location", "via", "owners")
    rows = [
        (one.distance, one.pipeline, one.env, one.location, one.via, one.owners) for one in found
    ]
    show_table(f"{way.capitalize()} of {start}", columns, rows)


@fleet_command(*FILTERS, "as_json")
def sensitive(
    asked: Asked,
    as_of: Annotated[
        datetime | None,
        typer.Option(
            "--as-of",
            parser=last_moment,
            metavar="TIME",
            help="By the newest runs of this time; of a date, by those of the end of its day.",
        ),
    ] = None,
) -> None:
    """Print where sensitive columns are written, and who reads them."""
    found = questions.sensitive(asked.fleet, asked.filters, as_of=as_of)
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
