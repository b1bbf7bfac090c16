"""Memory for tasks, as Linux tells of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from conformare_sink.executors.room import BYTES_OF_A_TASK, has_room

KIB = 1024


def machine(folder: Path, available: int | None, most: str | None, taken: int = 0) -> Path:
    """A system that tells this of its memory."""
    (folder / "proc").mkdir()
    if available is not None:
        told = f"MemTotal: 99 kB\nMemAvailable:  {available // KIB} kB\nCached: 1 kB\n"
        (folder / "proc" / "meminfo").write_text(told, encoding="utf-8")
    group = folder / "sys" / "fs" / "cgroup"
    group.mkdir(parents=True)
    if most is not None:
        (group / "memory.max").write_text(f"{most}\n", encoding="utf-8")
        (group / "memory.current").write_text(f"{taken}\n", encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("available", "most", "taken", "expected"),
    [
        (2 * BYTES_OF_A_TASK, None, 0, True),
        (2 * BYTES_OF_A_TASK - KIB, None, 0, False),
        (9 * BYTES_OF_A_TASK, "max", 0, True),
        (9 * BYTES_OF_A_TASK, str(3 * BYTES_OF_A_TASK), BYTES_OF_A_TASK, True),
        (9 * BYTES_OF_A_TASK, str(3 * BYTES_OF_A_TASK), BYTES_OF_A_TASK + 1, False),
        (0, str(9 * BYTES_OF_A_TASK), 0, False),
        (None, None, 0, True),
    ],
)
def test_two_tasks_need_their_room(
    tmp_path: Path, available: int | None, most: str | None, taken: int, *, expected: bool
) -> None:
    """On the machine, and in the container that the sink may be in."""
    assert has_room(2, machine(tmp_path, available, most, taken)) is expected
