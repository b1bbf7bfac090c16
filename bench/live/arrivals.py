"""When runs become visible: each commit of `runs` is seen within milliseconds, without Spark."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pyarrow as pa
import pyarrow.parquet as pq
from support.lakes.view import LakeView, commit_file

LOOK_SECONDS = 0.02


class Arrivals:
    """Sees runs arrive; made by `watched`.

    Args:
        lake: The lake, which exists.
    """

    def __init__(self, lake: LakeView) -> None:
        self._lake = lake
        self._version = lake.version("runs")
        self.seen: dict[str, float] = {}
        """run_id → when it was visible, as `time.time()`."""

    def watch(self, over: threading.Event) -> None:
        """Look until it is over."""
        while not over.wait(LOOK_SECONDS):
            commit = self._lake.read(commit_file("runs", self._version + 1))
            if commit is None:
                continue
            now = time.time()
            self._version += 1
            for line in commit.splitlines():
                added = json.loads(line).get("add")
                if added and added["dataChange"]:
                    file = self._lake.read(f"runs/{added['path']}")
                    rows = pq.read_table(pa.BufferReader(file), columns=["run_id"])
                    self.seen.update(dict.fromkeys(rows.column("run_id").to_pylist(), now))


@contextmanager
def watched(lake: LakeView) -> Iterator[Arrivals]:
    """Watch a lake for the time of a block.

    Args:
        lake: The lake, which exists.
    """
    arrivals, over = Arrivals(lake), threading.Event()
    thread = threading.Thread(target=arrivals.watch, args=(over,), daemon=True)
    thread.start()
    try:
        yield arrivals
    finally:
        over.set()
        thread.join()
