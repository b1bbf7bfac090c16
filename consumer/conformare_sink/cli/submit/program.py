"""What `spark-submit` runs: it wants a file, and puts that file's folder first on Python's path.

Hence a folder of its own: the modules beside the other commands would stand in for others of the
same name.
"""

from __future__ import annotations

import typer

from conformare_sink.cli import quarantine, views
from conformare_sink.cli.maintain import maintain
from conformare_sink.cli.purge import purge
from conformare_sink.cli.replay import replay
from conformare_sink.cli.sink import sink
from conformare_sink.cli.status import status

app = typer.Typer(add_completion=False)
for command in (sink, replay, status, maintain, purge):
    app.command()(command)
app.add_typer(quarantine.app, name="quarantine")
app.add_typer(views.app, name="views")

if __name__ == "__main__":
    app()
