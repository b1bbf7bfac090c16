"""Which checkout of the project is measured: this one, or another beside it in the same run."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

_SOURCES = ("schemas", "producer", "consumer", "examples", "tests")


@dataclass(frozen=True)
class Checkout:
    """A checkout of the project; all of them run on this one's environment.

    Args:
        root: Its folder.
    """

    root: Path

    @property
    def environment(self) -> dict[str, str]:
        """The environment of a process that runs what is checked out there."""
        paths = [*(str(self.root / name) for name in _SOURCES), str(self.root)]
        return {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}


HERE = Checkout(Path(__file__).resolve().parents[2])
