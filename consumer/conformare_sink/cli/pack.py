"""`conformare pack`: what Spark's executors need, as one file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from conformare_sink.cli._console import readable_errors, show_line, waiting
from conformare_sink.spark.environment import pack as pack_environment

_BYTES_PER_MEGABYTE = 1_000_000


@readable_errors
def pack(
    archive: Annotated[
        Path, typer.Argument(metavar="FILE", help="Where to write it, such as env.tar.gz.")
    ],
) -> None:
    """Pack this environment for Spark's executors: a Python, this package and what it needs."""
    if not archive.name:
        raise typer.BadParameter("FILE names no file")
    with waiting("Packing"):
        packed = pack_environment(archive)
    megabytes = packed.size / _BYTES_PER_MEGABYTE
    show_line(f"{packed.archive}: {megabytes:.0f} MB, Python {packed.python}")
    show_line(f"--archives {packed.archive}#env --conf spark.pyspark.python=./env/bin/python")
