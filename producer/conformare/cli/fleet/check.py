"""`conformare fleet check`: a gate for CI."""

from __future__ import annotations

import typer

from conformare.cli.fleet._asked import Asked, UnansweredError, fleet_command
from conformare.cli.fleet._json import show_json
from conformare.cli.fleet._output import tell, write
from conformare.cli.fleet.formats import Verdict, as_github, as_junit, as_text
from conformare.cli.settings import CheckSettings, Format, kinds_of
from conformare.fleet.questions import findings

FOUND = 1


@fleet_command(CheckSettings)
def check(asked: Asked[CheckSettings]) -> None:
    """Look for what needs attention: exit code 1 if anything is found, 0 if nothing is.

    Exit code 2: wrong use, an unreadable lake, or no matching pipeline. So a misspelt name does
    not let a gate pass.
    """
    kinds, output = kinds_of(asked.settings.fail_on), asked.settings.format
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
