"""A caller's value inside an error: enough of it to know it again, however long it is."""

from __future__ import annotations

import reprlib

MOST_CHARACTERS = 80

_short = reprlib.Repr()
_short.maxstring = _short.maxother = _short.maxlong = MOST_CHARACTERS


def quoted(value: object) -> str:
    """Return a value as an error quotes it, the middle of a long one left out.

    Args:
        value: What the caller gave.
    """
    return _short.repr(value)
