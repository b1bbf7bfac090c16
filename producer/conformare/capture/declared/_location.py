"""A location that somebody writes by hand, checked, as captured reads and writes name it."""

from __future__ import annotations

import os

from conformare.capture.sql._names import location_written

MOST_LOCATION_BYTES = 2_000
"""Of a location, in UTF-8: it may be the key of a message."""


def canonical_location(location: object) -> str:
    """Return a location as captured reads and writes name it, without credentials.

    Args:
        location: A path, a URL or the name of a table.

    Raises:
        ValueError: It is none, or too long.
    """
    if not isinstance(location, (str, os.PathLike)) or not (text := _text(location)):
        raise ValueError("location must be a path, a URL or the name of a table")
    shown = location_written(text)
    size = len(shown.encode("utf-8", "replace"))
    if size > MOST_LOCATION_BYTES:
        raise ValueError(
            f"location has {size:,} bytes; {MOST_LOCATION_BYTES:,} is the most it may have"
        )
    return shown


def _text(location: str | os.PathLike[str]) -> str:
    return os.fsdecode(location).strip()
