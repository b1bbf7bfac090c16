"""What `spark-submit` runs: it wants a file, and puts that file's folder first on Python's path.

Hence a folder of its own: the modules beside the other commands would stand in for others of the
same name.
"""

from __future__ import annotations

import typer

from conformare_sink.cli.replay import replay
from conformare_sink.cli.sink import sink

app = typer.Typer(add_completion=False)
app.command()(sink)
app.command()(replay)

if __name__ == "__main__":
    app()
