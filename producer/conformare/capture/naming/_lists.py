"""A list of columns as its author wrote it, and the names that Spark has given to them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from conformare.capture._data_names import EXPRESSION, is_plain
from conformare.capture.naming._literals import HIDDEN

_MARK = "\0"
_MARKED = re.compile(f"{_MARK}[^{_MARK}]*{_MARK}")


@dataclass(frozen=True)
class Item:
    """One entry of a list of columns.

    Attributes:
        spelled: The name that Spark is thought to make, with its literals marked; None where it
            holds none.
        literals: The literals in it, as texts.
        is_one: Whether it is one column, and not any number of them.
        is_named: Whether its author has given it a name.
        field: The name that it has if it is no expression but a field of a struct.
    """

    spelled: str | None = None
    literals: frozenset[str] = frozenset()
    is_one: bool = True
    is_named: bool = False
    field: str | None = None

    def shown(self, name: str) -> str | None:
        """Return what is shown of the name that Spark has made, None where it holds no literal."""
        if self.spelled is None or name == self.field:
            return None
        shown = _MARKED.sub(HIDDEN, self.spelled)
        return shown if shown == HIDDEN or name == self.spelled.replace(_MARK, "") else EXPRESSION


def marked(literal: str) -> str:
    """Return a literal as it stands in what is spelled."""
    return f"{_MARK}{literal.replace(_MARK, '')}{_MARK}"


COLUMN = Item()
NAMED = Item(is_named=True)
MANY = Item(is_one=False)


def made_of(items: Sequence[Item], names: Sequence[str]) -> dict[str, str]:
    """Return the names that Spark has made of literals, with what is shown instead.

    Args:
        items: The list; a column is known by its place, from either end.
        names: The names of the columns.
    """
    made: dict[str, str] = {}
    many = [place for place, item in enumerate(items) if not item.is_one]
    first, last = (many[0], many[-1] + 1) if many else (len(items), len(items))
    after = len(items) - last
    fits = len(names) >= first + after if many else len(names) == len(items)
    if not fits:
        return _unplaced(items, names)
    end = len(names) - after
    known = (*items[:first], *items[last:]), (*names[:first], *names[end:])
    for item, name in zip(*known, strict=True):
        shown = item.shown(name)
        if shown is not None:
            made[name] = shown
    return {**_unplaced(items[first:last], names[first:end]), **made}


def named_by_author(items: Sequence[Item], names: Sequence[str]) -> frozenset[str]:
    """Return the names that the author of a list has given to its columns."""
    if len(items) != len(names) or not all(item.is_one for item in items):
        return frozenset()
    return frozenset(n for item, n in zip(items, names, strict=True) if item.is_named)


def _unplaced(items: Sequence[Item], names: Sequence[str]) -> dict[str, str]:
    """Return what is shown where it is not known which column is which."""
    if all(item.spelled is None for item in items):
        return {}
    return doubtful(names, (literal for item in items for literal in item.literals))


def doubtful(names: Iterable[str], literals: Iterable[str]) -> dict[str, str]:
    """Return what is shown of names that may be made of literals.

    Args:
        names: The names.
        literals: The literals, as texts.
    """
    texts = frozenset(literals)
    return {
        name: HIDDEN if is_plain(name) else EXPRESSION
        for name in names
        if name in texts or not is_plain(name)
    }
