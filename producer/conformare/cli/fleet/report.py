"""`conformare fleet report`: the fleet as one HTML file."""

from __future__ import annotations

from conformare.cli.fleet._asked import Asked, fleet_command
from conformare.cli.fleet._output import show_line
from conformare.cli.settings import ReportSettings
from conformare.fleet.page import write_report


@fleet_command(ReportSettings)
def report(asked: Asked[ReportSettings]) -> None:
    """Write the fleet as one HTML file, which needs no network and no other file."""
    output = asked.settings.output
    found = write_report(asked.fleet, output, title=asked.settings.title, filters=asked.filters)
    needs = {0: "nothing needs attention", 1: "1 finding needs attention"}
    show_line(f"{output}: {needs.get(found, f'{found} findings need attention')}")
