"""The arithmetic of docs/scale.md: what so many runs a day need. `python -m bench.scale` prints the tables.

Each constant was measured, and says by what. What is assumed beside them stands behind them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Constant:
    """A figure that was measured."""

    what: str
    value: float
    unit: str
    by: str


BYTES_IN_KAFKA = Constant(
    "a run in the topics", 5_035, "bytes", "keys and values of 8 messages, not compressed"
)
BYTES_IN_THE_LAKE = Constant(
    "the same run in the lake", 514, "bytes", "all tables, after `conformare maintain`, 20,000 runs"
)
DRIVER_RUNS = Constant(
    "landed by a driver alone", 3_027, "runs/s", "`make bench-sink PARTS=backlog`, two cores"
)
EXECUTOR_RUNS = Constant(
    "landed by a core of an executor", 4_077, "runs/s", "`make bench-cluster PARTS=executors`"
)
KNOWN_RUNS_AGAIN = Constant(
    "known runs read again by a driver", 9_000, "runs/s", "`make bench-sink PARTS=replay`"
)
BYTES_OF_A_KNOWN_RUN = Constant(
    "a known run", 16, "bytes", "`make bench-sink PARTS=known`, on disk"
)
MEASURED = (
    BYTES_IN_KAFKA,
    BYTES_IN_THE_LAKE,
    DRIVER_RUNS,
    EXECUTOR_RUNS,
    KNOWN_RUNS_AGAIN,
    BYTES_OF_A_KNOWN_RUN,
)

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
        return max(3, math.ceil(self.peak * BYTES_IN_KAFKA.value / PARTITION_BYTES))

    @property
    def executor_cores(self) -> int:
        """Cores of executors; none where the driver alone is enough."""
        if self.peak <= DRIVER_RUNS.value * UTILISATION:
            return 0
        return math.ceil(self.peak / (EXECUTOR_RUNS.value * UTILISATION))

    @property
    def rows(self) -> list[tuple[str, str]]:
        """The table's rows."""
        kept = self.runs * RETENTION_DAYS
        a_year = self.runs * 365
        return [
            ("runs per second, busiest hour", f"{self.peak:,.1f}"),
            ("topics: a day", _size(self.runs * BYTES_IN_KAFKA.value)),
            (f"topics: {RETENTION_DAYS} days", _size(kept * BYTES_IN_KAFKA.value)),
            ("partitions of each topic", f"{self.partitions:,}"),
            ("executors' cores", f"{self.executor_cores:,}" if self.executor_cores else "none"),
            ("the lake: a year", _size(a_year * BYTES_IN_THE_LAKE.value)),
            (
                "known runs after a year, on the sink's disk",
                _size(a_year * BYTES_OF_A_KNOWN_RUN.value),
            ),
            (
                f"replay of {RETENTION_DAYS} days that the lake has, driver",
                _time(kept / KNOWN_RUNS_AGAIN.value),
            ),
            (
                f"replay of {RETENTION_DAYS} days into a new lake, driver",
                _time(kept / DRIVER_RUNS.value),
            ),
            ("the same, two cores of executors", _time(kept / (EXECUTOR_RUNS.value * 2))),
            ("the same, twenty", _time(kept / (EXECUTOR_RUNS.value * 20))),
        ]


def constants() -> str:
    """Return what was measured as a table in Markdown."""
    rows = [f"| {one.what} | {one.value:,} {one.unit} | {one.by} |" for one in MEASURED]
    return "\n".join(["| constant | value | measured by |", "| --- | ---: | --- |", *rows])


def needs() -> str:
    """Return what so many runs need as a table in Markdown."""
    found = [Need(runs) for runs in RUNS_A_DAY]
    heads = " | ".join(f"{need.runs:,}" for need in found)
    lines = [f"| runs a day | {heads} |", f"| --- |{' ---: |' * len(found)}"]
    for cells in zip(*(need.rows for need in found), strict=True):
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
    print(f"{needs()}\n\n{constants()}")
