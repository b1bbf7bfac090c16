"""Strips of runs as paths: each health is one dashed line whose width is the height of its bars."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

PITCH = 6
"""From one bar to the next; a bar is 4 wide, as the dashes in the style sheet are."""
HEIGHT = 20
HEIGHTS = {"failed": 18, "degraded": 11, "stale": 8, "healthy": 5, "unknown": 2}
"""The worse, the higher: so a strip can be read without colours."""


def strip_paths(healths: Sequence[str]) -> list[tuple[str, str]]:
    """Return the path of each health that occurs in a strip.

    Args:
        healths: Of the runs, in the order in which they are drawn.
    """
    paths: dict[str, str] = {}
    at = 0
    for health, group in groupby(healths):
        runs = len(list(group))
        middle = HEIGHT - 1 - HEIGHTS[health] / 2
        paths[health] = f"{paths.get(health, '')}M{PITCH * at + 1} {middle:g}h{PITCH * runs - 2}"
        at += runs
    return sorted(paths.items())
