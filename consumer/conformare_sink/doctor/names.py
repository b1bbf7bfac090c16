"""Many names in one line."""

from __future__ import annotations

from collections.abc import Collection

_MOST_NAMED = 3


def named(names: Collection[str]) -> str:
    """Return the first of some names, and how many others there are."""
    first, others = sorted(names)[:_MOST_NAMED], len(names) - _MOST_NAMED
    return f"{', '.join(first)}{f' and {others} more' if others > 0 else ''}"
