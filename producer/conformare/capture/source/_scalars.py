"""What Python itself has as text: the same in every process, and never long."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from conformare.capture.source._normalise import digest

MOST_ITEMS = 100
"""Of a container, so many parts are looked at."""

_MOST_CHARACTERS = 100_000
_MOST_BITS = 10_000
# A longer text is known by a digest: it is kept with the step.
_LONG = 1_000


def scalar_text(value: Any) -> str | None:
    """Return a number, a text or None as text; None for any other value."""
    for kind, show in _SCALARS:
        if issubclass(type(value), kind):
            return str(show(value))
    return None


def set_text(value: set[Any] | frozenset[Any], part_text: Callable[[Any], str]) -> str:
    """Return a set as text, given what makes text of its parts."""
    # No two processes have the strings of a set in the same order.
    base: Any = set if issubclass(type(value), set) else frozenset
    size = base.__len__(value)
    if size > MOST_ITEMS:
        return f"set[... of {size}]"
    return f"set[{', '.join(sorted(map(part_text, base.__iter__(value))))}]"


def shortened(text: str) -> str:
    """Return a text, or a digest of one that is too long to keep."""
    return text if len(text) <= _LONG else f"text:{digest(text)}"


def _integer_text(value: int) -> str:
    bits = int.bit_length(value)
    return int.__repr__(value) if bits <= _MOST_BITS else f"integer of {bits} bits"


def _string_text(value: str | bytes) -> str:
    kind: Any = str if issubclass(type(value), str) else bytes
    start, size = kind.__getitem__(value, slice(_MOST_CHARACTERS)), kind.__len__(value)
    text = shortened(kind.__repr__(start))
    return text if size <= _MOST_CHARACTERS else f"{text} of {size}"


# The base class's own ways, as a subclass may have others.
_SCALARS: tuple[tuple[type, Any], ...] = (
    (type(None), repr),
    (bool, repr),
    (int, _integer_text),
    (float, float.__repr__),
    (complex, complex.__repr__),
    (str, _string_text),
    (bytes, _string_text),
)
