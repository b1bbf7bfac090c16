"""The commands of `conformare export`; each is added here by its name."""

from __future__ import annotations

import typer

from conformare.cli.export.openlineage import openlineage

app = typer.Typer(
    no_args_is_help=True,
    help="Send the recorded runs to other tools. Exit codes: 0 all were sent; 1 the receiver has "
    "refused some or all, and the next export sends them again; 2 wrong use, or a store that cannot "
    "be read.",
)


@app.callback()
def _root() -> None:
    """Keep the name of the only command: there will be others."""


app.command()(openlineage)
