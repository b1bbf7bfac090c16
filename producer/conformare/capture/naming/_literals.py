"""Which literals may be shown: so few values have these names that no row is told by them."""

from __future__ import annotations

HIDDEN = "?"
"""What stands for a literal."""

_SHOWN = frozenset(("null", "true", "false", "0", "1"))


def may_be_shown(literal: str) -> bool:
    """Whether a literal says nothing of a row, as that of `count(1)`.

    Args:
        literal: The literal as text.
    """
    return literal.lower() in _SHOWN
