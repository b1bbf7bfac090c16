"""How long something took, for a person."""

from __future__ import annotations

from datetime import timedelta

_UNITS = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))


def span(time: timedelta) -> str:
    """Return a time in its largest unit that it has two of, such as `26 h` or `3 d`.

    Args:
        time: How long; what is below zero counts as none.
    """
    seconds = max(0, int(time.total_seconds()))
    unit, length = next((one for one in _UNITS if seconds >= 2 * one[1]), _UNITS[-1])
    return f"{seconds // length} {unit}"
