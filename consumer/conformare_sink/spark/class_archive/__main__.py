"""`python -m conformare_sink.spark.class_archive`: make Spark start faster on this machine, once."""

from __future__ import annotations

import sys

from rich.console import Console

from conformare_sink.errors import SinkError
from conformare_sink.spark.class_archive import archive_file, make_archive

_BYTES_PER_MEGABYTE = 1_000_000


def main() -> int:
    """Make the archive where there is none, and say where it is; return the exit code."""
    err = Console(stderr=True, soft_wrap=True, highlight=False)
    try:
        if not archive_file().is_file():
            with err.status("Making an archive of Spark's classes, once: most of a minute"):
                make_archive()
        archive = make_archive()
    except SinkError as exc:
        err.print(f"error: {exc}", markup=False)
        return 1
    megabytes = archive.stat().st_size / _BYTES_PER_MEGABYTE
    Console(soft_wrap=True, highlight=False).print(f"classes: {megabytes:.0f} MB, {archive}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
