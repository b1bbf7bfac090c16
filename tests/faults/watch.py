"""What a sink is doing, told by what everybody can see: its tables' logs and its checkpoint."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from conformare_schemas import GRAINS


@dataclass(frozen=True)
class Moment:
    """How far a lake and its stream have come.

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
    """Looks at a lake and a checkpoint, often and at little cost.

    Args:
        lake: The lake.
        checkpoint: The checkpoint.
    """

    def __init__(self, lake: Path, checkpoint: Path) -> None:
        self._logs = {grain: lake / grain / "_delta_log" for grain in GRAINS}
        self._checkpoint = checkpoint
        self._versions = dict.fromkeys(GRAINS, -1)

    def now(self) -> Moment:
        """Return how far they have come."""
        for grain, log in self._logs.items():
            while _commit(log, self._versions[grain] + 1).exists():
                self._versions[grain] += 1
        return Moment(
            versions=dict(self._versions),
            begun=_last_number(self._checkpoint / "offsets"),
            done=_last_number(self._checkpoint / "commits"),
        )


def _commit(log: Path, version: int) -> Path:
    return log / f"{version:020}.json"


def _last_number(folder: Path) -> int:
    if not folder.is_dir():
        return -1
    return max((int(f.name) for f in folder.iterdir() if f.name.isdecimal()), default=-1)
