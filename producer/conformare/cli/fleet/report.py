"""`conformare fleet report`: the fleet as one HTML file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from conformare.cli.fleet._asked import Asked, fleet_command
from conformare.cli.fleet._output import show_line
from conformare.fleet.page import DEFAULT_TITLE, write_report


@fleet_command("pipeline", "env", "owner", "tag", "since", "max_age")
def report(
    asked: Asked,
    output: Annotated[
        Path,
        typer.Option(
            "--output", "-o", envvar="CONFORMARE_OUTPUT", dir_okay=False, help="The file to write."
        ),
    ] = Path("fleet.html"),
    title: Annotated[
        str, typer.Option("--title", envvar="CONFORMARE_TITLE", help="Its heading.")
    ] = DEFAULT_TITLE,
) -> None:
    """Write the fleet as one HTML file, which needs no network and no other file."""
    found = write_report(asked.fleet, output, title=title, filters=asked.filters)
    needs = {0: "nothing needs a person", 1: "1 finding needs a person"}
    show_line(f"{output}: {needs.get(found, f'{found} findings need a person')}")
