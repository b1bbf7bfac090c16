"""How much a process has computed, and how much memory it had at most; of Linux."""

from __future__ import annotations

import os
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid: int) -> float:
    """Return the seconds of CPU of a process, and of its descendants that have ended."""
    # What stands before them is the program's name, in which anything may be.
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    own_and_children = fields[11:15]
    return sum(map(int, own_and_children)) / _TICKS


def peak_mb(pid: int | str = "self") -> float:
    """Return the most memory that a process had."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    (peak,) = (line.split()[1] for line in lines if line.startswith("VmHWM"))
    return int(peak) / 1024
