"""`conformare fleet check`: a gate for CI."""

from __future__ import annotations

from enum import Enum
from typing import Annotated

import typer

from conformare.cli._printable import printable
from conformare.cli.fleet._asked import Asked, UnansweredError, fleet_command
from conformare.cli.fleet._json import show_json
from conformare.cli.fleet._output import tell, write
from conformare.cli.fleet.formats import Verdict, as_github, as_junit, as_text
from conformare.fleet.questions import DEFAULT_KINDS, KINDS, Kind, findings

FOUND = 1


class Format(str, Enum):
    """How findings are told."""

    TEXT = "text"
    JSON = "json"
    JUNIT = "junit"
    GITHUB = "github"


def kinds_of(text: str) -> tuple[Kind, ...]:
    """Parse kinds of findings, separated by commas."""
    names = [name.strip() for name in text.split(",")]
    unknown = [name for name in names if name not in KINDS]
    if unknown:
        raise typer.BadParameter(
            printable(f"{unknown[0]!r} is no kind of finding: they are {', '.join(KINDS)}")
        )
    return tuple(kind for kind in KINDS if kind in names)


@fleet_command("pipeline", "env", "owner", "tag", "max_age")
def check(
    asked: Asked,
    fail_on: Annotated[
        str,
        typer.Option(
            "--fail-on",
            envvar="CONFORMARE_FAIL_ON",
            metavar="KINDS",
            help=f"What counts, separated by commas: {', '.join(KINDS)}.",
        ),
    ] = ",".join(DEFAULT_KINDS),
    output: Annotated[
        Format,
        typer.Option(
            "--format",
            envvar="CONFORMARE_FORMAT",
            help="A line for each finding, JSON, JUnit XML, or Markdown for GitHub's job summary.",
        ),
    ] = Format.TEXT,
) -> None:
    """Look for what needs a person: exit code 1 if anything is found, 0 if nothing is.

    Exit code 2: wrong use, a store that cannot be read, or no pipeline that fits. A gate does not
    pass because of a misspelt name.
    """
    kinds = kinds_of(fail_on)
    pipelines = asked.fleet.chosen(asked.filters)
    if not pipelines:
        raise UnansweredError(f"{asked.nothing_fits}: nothing was checked")
    found = findings(asked.fleet, asked.filters, kinds)
    verdict = Verdict(asked.fleet.store.place, asked.fleet.now, kinds, pipelines, found)
    if output is Format.JSON:
        show_json(verdict)
    elif output is Format.JUNIT:
        write(as_junit(verdict))
    elif output is Format.GITHUB:
        write(as_github(verdict))
    else:
        write(as_text(verdict))
    tell(verdict.summary)
    if found:
        raise typer.Exit(FOUND)
