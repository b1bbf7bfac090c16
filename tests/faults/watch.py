"""What a sink is doing, told from outside: by its tables' logs and by the files of its query."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from support.lakes.view import commit_file

from conformare_schemas import RUN_GRAINS


@dataclass(frozen=True)
class Moment:
    """How far a lake and a sink's query have come.

    Attributes:
        versions: Last commit of each table; -1 for a table that is not there.
        begun: The last micro-batch that Spark has planned; -1 for none.
        done: The last that it has committed; -1 for none.
    """

    versions: Mapping[str, int]
    begun: int
    done: int

    @property
    def batch_is_open(self) -> bool:
        """Whether a micro-batch is under way, or was when the sink died."""
        return self.begun > self.done


class Watch:
    """Looks at a lake and at one sink, often and at little cost.

    Args:
        files: A folder of this machine with the lake's files, even if only by name.
        temporary: The sink's own folder for what is temporary.
    """

    def __init__(self, files: Path, temporary: Path) -> None:
        self._files = files
        self._temporary = temporary
        self._versions = dict.fromkeys(RUN_GRAINS, -1)

    def now(self) -> Moment:
        """Return how far they have come."""
        for grain in self._versions:
            while (self._files / commit_file(grain, self._versions[grain] + 1)).exists():
                self._versions[grain] += 1
        # A sink that has begun its query anew, after an outage, has a checkpoint anew.
        checkpoints = self._temporary.glob("conformare-*/offsets")
        newest = max(checkpoints, key=_made, default=self._temporary / "none").parent
        return Moment(
            versions=dict(self._versions),
            begun=_last_number(newest / "offsets"),
            done=_last_number(newest / "commits"),
        )


def _made(folder: Path) -> int:
    try:
        return folder.stat().st_ctime_ns
    except FileNotFoundError:
        return 0


def _last_number(folder: Path) -> int:
    try:
        return max((int(f.name) for f in folder.iterdir() if f.name.isdecimal()), default=-1)
    except FileNotFoundError:
        return -1
