"""Whether this machine has the memory that tasks need, where they run beside the driver."""

from __future__ import annotations

from pathlib import Path

BYTES_OF_A_TASK = 512 * 1024 * 1024
"""Of the Python in which it runs, with a part of a batch in it."""

_SYSTEM = Path("/")


def has_room(n_tasks: int, system: Path = _SYSTEM) -> bool:
    """Return whether so many tasks have room at once, beside what runs already.

    Args:
        n_tasks: How many.
        system: The folder in which Linux tells of itself. Where it tells nothing, there is room.
    """
    told = (_free_of_machine(system), _free_of_container(system))
    return all(free is None or free >= n_tasks * BYTES_OF_A_TASK for free in told)


def _free_of_machine(system: Path) -> int | None:
    for line in _read(system / "proc/meminfo").splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return None


def _free_of_container(system: Path) -> int | None:
    """Return what a container may still take; None outside of one, or where it may take all."""
    folder = system / "sys/fs/cgroup"
    most, taken = (_read(folder / name).strip() for name in ("memory.max", "memory.current"))
    return int(most) - int(taken) if most.isdigit() and taken.isdigit() else None


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except OSError:
        return ""
