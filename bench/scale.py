"""The arithmetic of docs/scale.md: what so many runs a day need. `python -m bench.scale` prints the table.

Each constant was measured, and says by what. Nothing else is assumed but what stands in `PEAK` and below.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

BYTES_IN_KAFKA = 5_035
"""Keys and values of a run of 36 rows in 8 messages, not compressed: `bench/landing/load.py`'s runs."""
BYTES_IN_THE_LAKE = 900
"""The same run in all tables together, after `conformare maintain`."""
DRIVER_RUNS = 3_000
"""Runs per second that a driver alone lands in batches of 50,000 messages: `make bench-sink PARTS=backlog`."""
EXECUTOR_RUNS = 2_500
"""Runs for each second of an executor's core: `make bench-cluster PARTS=executors`."""
KNOWN_RUNS_AGAIN = 9_000
"""Known runs per second that a driver alone reads again in a replay: `make bench-sink PARTS=replay`."""
BYTES_OF_A_KNOWN_RUN = 16
"""On the disk of the sink's machine: `lake/known/`."""

PEAK = 4
"""The busiest hour has so many times the runs of a mean hour."""
UTILISATION = 0.5
"""Of what a core can do, so much is planned for."""
RETENTION_DAYS = 7
"""How long the topics keep their messages."""
PARTITION_BYTES = 5_000_000
"""What one partition takes in a second, at most."""
RUNS_A_DAY = (10_000, 1_000_000, 100_000_000)
DAY = 86_400


@dataclass(frozen=True)
class Need:
    """What so many runs a day need."""

    runs: int

    @property
    def peak(self) -> float:
        """Runs per second of the busiest hour."""
        return self.runs * PEAK / DAY

    @property
    def partitions(self) -> int:
        """Partitions of each topic."""
        return max(3, math.ceil(self.peak * BYTES_IN_KAFKA / PARTITION_BYTES))

    @property
    def executor_cores(self) -> int:
        """Cores of executors; none where the driver alone is enough."""
        if self.peak <= DRIVER_RUNS * UTILISATION:
            return 0
        return math.ceil(self.peak / (EXECUTOR_RUNS * UTILISATION))

    @property
    def rows(self) -> list[tuple[str, str]]:
        """The table's rows."""
        kept = self.runs * RETENTION_DAYS
        a_year = self.runs * 365
        return [
            ("runs per second, busiest hour", f"{self.peak:,.1f}"),
            ("topics: a day", _size(self.runs * BYTES_IN_KAFKA)),
            (f"topics: {RETENTION_DAYS} days", _size(kept * BYTES_IN_KAFKA)),
            ("partitions of each topic", f"{self.partitions:,}"),
            ("executors' cores", f"{self.executor_cores:,}" if self.executor_cores else "none"),
            ("the lake: a year", _size(a_year * BYTES_IN_THE_LAKE)),
            ("known runs after a year, on the sink's disk", _size(a_year * BYTES_OF_A_KNOWN_RUN)),
            (
                f"replay of {RETENTION_DAYS} days that the lake has, driver",
                _time(kept / KNOWN_RUNS_AGAIN),
            ),
            (f"replay of {RETENTION_DAYS} days into a new lake, driver", _time(kept / DRIVER_RUNS)),
            ("the same, two cores of executors", _time(kept / (EXECUTOR_RUNS * 2))),
            ("the same, twenty", _time(kept / (EXECUTOR_RUNS * 20))),
        ]


def table() -> str:
    """Return the table as Markdown."""
    needs = [Need(runs) for runs in RUNS_A_DAY]
    heads = " | ".join(f"{need.runs:,}" for need in needs)
    lines = [f"| runs a day | {heads} |", f"| --- |{' ---: |' * len(needs)}"]
    for cells in zip(*(need.rows for need in needs), strict=True):
        values = " | ".join(value for _, value in cells)
        lines.append(f"| {cells[0][0]} | {values} |")
    return "\n".join(lines)


def _size(n_bytes: float) -> str:
    units = ("B", "kB", "MB", "GB", "TB", "PB")
    power = min(int(math.log10(max(n_bytes, 1)) // 3), len(units) - 1)
    return f"{n_bytes / 1_000**power:.3g} {units[power]}"


def _time(seconds: float) -> str:
    for size, unit in ((86_400, "days"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.0f} s"


if __name__ == "__main__":
    print(table())
