"""The commands of `conformare fleet`; each is added here by its name."""

from __future__ import annotations

import typer

from conformare.cli.fleet.acknowledge import acknowledge
from conformare.cli.fleet.check import check
from conformare.cli.fleet.data import impact, sensitive
from conformare.cli.fleet.notify import notify
from conformare.cli.fleet.overview import drift, expectations, owners, status
from conformare.cli.fleet.report import report
from conformare.cli.fleet.serve import serve
from conformare.cli.fleet.show import show

app = typer.Typer(
    no_args_is_help=True,
    help="Ask about the recorded runs, and show them.\n\nExit codes: 0 success; 1 `check` found "
    "something, or the receiver did not accept a report of `notify`; 2 wrong use, or an unreadable lake.",
)
for command in (
    status,
    drift,
    owners,
    impact,
    sensitive,
    expectations,
    show,
    report,
    serve,
    check,
    notify,
    acknowledge,
):
    app.command()(command)
