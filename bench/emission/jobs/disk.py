"""The bench's job that writes files as the spool does: what the disk alone takes."""

from __future__ import annotations

import os
import time
from pathlib import Path

from bench.emission.jobs.job import await_go, say, serve


def main() -> None:
    """Run the job."""
    serve({"write": write})


def write(folder: str, calls: int, size: int) -> None:
    """Tell how long it takes to write, sync and rename a file, and to sync its folder."""
    place = Path(folder)
    place.mkdir()
    content = os.urandom(size)
    descriptor = os.open(place, os.O_RDONLY)
    await_go()
    seconds = []
    for number in range(calls):
        start = time.perf_counter()
        part = place / f".{number}"
        with part.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.rename(place / f"{number}")
        os.fsync(descriptor)
        seconds.append(time.perf_counter() - start)
    say(seconds=seconds)


if __name__ == "__main__":
    main()
