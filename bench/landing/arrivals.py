"""When runs become visible: each commit of `runs` is seen within milliseconds, without Spark."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow.parquet as pq

LOOK_SECONDS = 0.02


class Arrivals:
    """Sees runs arrive; made by `watched`.

    Args:
        lake: The lake, which exists.
    """

    def __init__(self, lake: Path) -> None:
        self._table = lake / "runs"
        self._version = sum(1 for _ in self._log.glob("*.json"))
        self.seen: dict[str, float] = {}
        """run_id → when it was visible, as `time.time()`."""

    @property
    def _log(self) -> Path:
        return self._table / "_delta_log"

    def watch(self, over: threading.Event) -> None:
        """Look until it is over."""
        while not over.wait(LOOK_SECONDS):
            commit = self._log / f"{self._version:020d}.json"
            if not commit.exists():
                continue
            now = time.time()
            self._version += 1
            for line in commit.read_text(encoding="utf-8").splitlines():
                added = json.loads(line).get("add")
                if added and added["dataChange"]:
                    rows = pq.read_table(self._table / added["path"], columns=["run_id"])
                    self.seen.update(dict.fromkeys(rows.column("run_id").to_pylist(), now))


@contextmanager
def watched(lake: Path) -> Iterator[Arrivals]:
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
