"""The seam between recording a run and where it goes; free of what takes time to import."""

from __future__ import annotations

from typing import Any, Protocol

RunRecord = dict[str, list[dict[str, Any]]]
"""What every writer takes, grain → rows: the grains of a run, or `source_risks` alone."""

ENVIRONMENT_PREFIX = "CONFORMARE_"
"""Every option of a writer can be given as `CONFORMARE_<NAME>` in the environment too."""


class RunWriter(Protocol):
    """Somewhere a record can go; any object with `write` will do as `dest`."""

    def write(self, record: RunRecord) -> None:
        """Store a record, or hand it on."""
