"""Times and spans as people write and read them."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

_DATE = re.compile(r"\d{4}-?\d{2}-?\d{2}", re.ASCII)
_UNITS = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))


def span(time: timedelta) -> str:
    """Return a time in its largest unit that it has two of, such as `26 h` or `3 d`.

    Args:
        time: How long; what is below zero counts as none.
    """
    seconds = max(0, int(time.total_seconds()))
    unit, length = next((one for one in _UNITS if seconds >= 2 * one[1]), _UNITS[-1])
    return f"{seconds // length} {unit}"


def end_of(ts: datetime, written: str) -> datetime:
    """Return the last moment that a text names: of a date alone, the end of its day.

    Args:
        ts: The first one.
        written: The text.
    """
    is_date = _DATE.fullmatch(written.strip()) is not None
    return ts + timedelta(days=1, microseconds=-1) if is_date else ts
