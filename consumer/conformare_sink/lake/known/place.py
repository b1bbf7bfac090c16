"""Where on this machine the known runs of a lake are kept."""

from __future__ import annotations

import re
from hashlib import sha256
from pathlib import Path

from conformare_sink.spark.jars import cache_directory

KNOWN = "known"
"""In a checkpoint, or in the user's cache; in it, each lake has a folder."""


def known_place(table_id: str, checkpoint: Path | None = None) -> Path:
    """Return the folder in which the known runs of a lake are kept.

    Args:
        table_id: Identity of its table `runs`.
        checkpoint: The folder of this machine that a sink was given; the user's cache where none was.
    """
    is_plain = re.fullmatch(r"[0-9A-Za-z][0-9A-Za-z-]{0,99}", table_id)
    name = table_id if is_plain else sha256(table_id.encode()).hexdigest()
    return (checkpoint or cache_directory()) / KNOWN / name
