"""How much a process has computed, and how much memory it had at most; of Linux."""

from __future__ import annotations

import os
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid: int) -> float:
    """Return the seconds of CPU of a process."""
    # What stands before them is the program's name, in which anything may be.
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return sum(map(int, fields[11:13])) / _TICKS


def peak_mb(pid: int | str = "self") -> float:
    """Return the most memory that a process had."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    (peak,) = (line.split()[1] for line in lines if line.startswith("VmHWM"))
    return int(peak) / 1024


def busy_seconds() -> float:
    """Return the seconds of CPU of all processes together, since the machine was started."""
    user, nice, system, _idle, _waiting, interrupt, soft = map(
        int, Path("/proc/stat").read_text(encoding="utf-8").split()[1:8]
    )
    return (user + nice + system + interrupt + soft) / _TICKS
