"""What to call what lies at a location; made of what may be shown of it."""

from __future__ import annotations

import re

from conformare.capture.locations._redacted import shown_locations

_LABEL_CHARACTERS = 40


def last_segment(location: str) -> str:
    """Return the last segment of a path or URL, the whole name of a table."""
    trimmed = location.replace("`", "").rstrip("/\\")
    return re.split(r"[/\\]", trimmed)[-1] or trimmed


def label_of_path(location: str) -> str:
    """Return what to call a sink that is a path: its last segment, at most 40 characters."""
    return last_segment(shown_locations(location))[:_LABEL_CHARACTERS]


def label_of_table(name: str) -> str:
    """Return what to call a sink that is a table: its own name, at most 40 characters."""
    return last_segment(shown_locations(name)).rpartition(".")[2][:_LABEL_CHARACTERS]


def without_extension(name: str) -> str:
    """Return the name of a file without its extensions."""
    return name.partition(".")[0] or name
