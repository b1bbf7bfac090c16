"""Names of columns that hold data: what is shown in place of each, also downstream.

Values of rows name the columns of a pivot, and Spark names a column after its expression, literals
included. What was made from such a frame may have the same names, or names that are made of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import NamedTuple

EXPRESSION = "(expression)"
"""What stands for a name that Spark has made of an expression which cannot be shown in part."""

# A shorter value is found in others only where no letter, digit or "_" is beside it.
_LONG = 3
_PLAIN = re.compile(r"\w+")


class Stand(NamedTuple):
    """What is shown in place of a name.

    Attributes:
        shown: The text.
        alone: Whether it stands for the whole of a name that is made of the one it stands for:
            of `sum(Bob)` nothing is shown, of `max((name = Bob))` the rest is.
    """

    shown: str
    alone: bool = False


def is_plain(name: str) -> bool:
    """Whether a name is one word, as no expression is but a literal."""
    return _PLAIN.fullmatch(name) is not None


class Hidden:
    """The names that hold data in one frame, its own and those of the frames before it."""

    def __init__(self, stands: Mapping[str, Stand]) -> None:
        """Hide names.

        Args:
            stands: Each name with what is shown instead; that of "" is shown instead of every
                other name that is not one word.
        """
        self._stands = stands

    def __bool__(self) -> bool:
        return bool(self._stands)

    def with_more(self, stands: Mapping[str, Stand]) -> Hidden:
        """Return what hides more names than this does."""
        return Hidden({**self._stands, **stands}) if stands else self

    @staticmethod
    def together(several: Iterable[Hidden]) -> Hidden:
        """Return what hides all that any of these does; most frames hide what one other does."""
        different = list({id(hidden): hidden for hidden in several if hidden}.values())
        together = different[0] if different else NOTHING
        for other in different[1:]:
            together = together.with_more(other._stands)  # noqa: SLF001 - one of us
        return together

    def among(self, names: Iterable[str]) -> dict[str, Stand]:
        """Return those of some names that hold data themselves, with what is shown of each."""
        return {name: self._stands[name] for name in names if name and name in self._stands}

    def shown(self, name: str) -> str:
        """Return what may be shown of a name."""
        stand = self._stands.get(name)
        if stand is not None:
            return stand.shown
        plain, other = is_plain(name), self._stands.get("")
        if other is not None and not plain:
            return other.shown
        pattern = self._in_words if plain else self._in_expressions
        inside = [self._stands[found[0]] for found in pattern.finditer(name)] if pattern else []
        alone = next((stand.shown for stand in inside if stand.alone), None)
        if pattern is not None and inside:
            return alone or pattern.sub(lambda found: self._stands[found[0]].shown, name)
        return name

    def over(self, names: Iterable[str]) -> tuple[str, ...]:
        """Return what may be shown of the names of a frame's columns."""
        if not self:  # without any, two columns of one name stay two
            return tuple(names)
        return tuple(dict.fromkeys(map(self.shown, names)))

    def again(self, names: Iterable[str], known: Iterable[str]) -> tuple[str, ...]:
        """Return the columns of a sink that is written once more.

        What is made by the same code has the same names as before, unless data is one.

        Args:
            names: The names of the columns.
            known: The columns that it has been seen with, as they are shown.
        """
        known = frozenset(known)
        return tuple(dict.fromkeys(part for name in names for part in self._again(name, known)))

    def _again(self, name: str, known: frozenset[str]) -> Iterator[str]:
        shown = self.shown(name)
        if name in known or shown != name or not self:
            yield name if name in known else shown
        else:
            yield from (stand.shown for stand in self._stands.values())

    @cached_property
    def _in_words(self) -> re.Pattern[str] | None:
        """What finds names in one that is a word: `Bob` in `Bob_total`, but no literal."""
        return _pattern(name for name, stand in self._stands.items() if stand.alone)

    @cached_property
    def _in_expressions(self) -> re.Pattern[str] | None:
        return _pattern(self._stands)


NOTHING = Hidden({})
"""Hides no name."""


def _pattern(names: Iterable[str]) -> re.Pattern[str] | None:
    """Return what finds a name in one that is made of it, such as `sum(name)`."""
    texts = [_bounded(name) for name in sorted(names, key=len, reverse=True) if name]
    return re.compile("|".join(texts)) if texts else None


def _bounded(name: str) -> str:
    before, after = (
        (r"(?<![^\W_])", r"(?![^\W_])") if len(name) >= _LONG else (r"(?<!\w)", r"(?!\w)")
    )
    # An expression in parentheses ends where they do.
    first, last = is_plain(name[0]), is_plain(name[-1])
    return f"{before if first else ''}{re.escape(name)}{after if last else ''}"
