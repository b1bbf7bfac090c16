"""Columns that values of rows have named: one entry stands for all of them, also downstream."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from conformare.capture._content import Content
from conformare.capture._lineage import Node

# A shorter name is found in others only where no letter, digit or "_" is beside it.
_LONG = 3


def shown_columns(content: Content, node: Node, names: Sequence[str]) -> tuple[str, ...]:
    """Return the columns of a node as they may be shown.

    Args:
        content: What was captured; what the node was made from has been asked for its columns.
        node: The node; the names that values of rows have made are kept with it.
        names: The names of its columns.
    """
    own = () if node.data_named is None else tuple(names[node.data_named.first :])
    shown = tuple(_shown(content, node, names[: len(names) - len(own)]))
    if node.data_named is None:
        return shown
    node.data_names |= frozenset(own)
    return (*shown, node.data_named.shown)


def shown_again(content: Content, node: Node, names: Sequence[str]) -> tuple[str, ...]:
    """Return the columns of a sink that is written once more.

    What is made by the same code has the same names as before, unless a value of a row is one.

    Args:
        content: What was captured.
        node: The node of the sink.
        names: The names of the columns.
    """
    if not node.shaped_by:
        return tuple(names)
    known = frozenset(node.columns or ())
    instead = [shown for _, shown in _hidden(content, node)]
    return tuple(dict.fromkeys(part for n in names for part in ([n] if n in known else instead)))


def _shown(content: Content, node: Node, names: Sequence[str]) -> Iterator[str]:
    hidden = [(_pattern(names), shown) for names, shown in _hidden(content, node) if names]
    shown = [next((s for pattern, s in hidden if pattern.search(n)), n) for n in names]
    # Without any, two columns of one name stay two.
    yield from dict.fromkeys(shown) if hidden else shown


def _hidden(content: Content, node: Node) -> Iterator[tuple[frozenset[str], str]]:
    for number in sorted(node.shaped_by):
        maker = content.nodes[number - 1]
        if maker.data_named is not None:
            yield maker.data_names, maker.data_named.shown


@lru_cache(maxsize=64)
def _pattern(names: frozenset[str]) -> re.Pattern[str]:
    """Return what finds a name in one that is made of it, such as `sum(name)`."""
    texts = (
        rf"(?<![^\W_]){re.escape(name)}(?![^\W_])"
        if len(name) >= _LONG
        else rf"(?<!\w){re.escape(name)}(?!\w)"
        for name in sorted(names, key=len, reverse=True)
    )
    return re.compile("|".join(texts))
