"""Columns that values of rows have named: one entry stands for all of them, also downstream."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from conformare.capture._lineage import Node

# A shorter name is found in others only where no letter, digit or "_" is beside it.
_LONG = 3


def shown_columns(nodes: Sequence[Node], node: Node, names: Sequence[str]) -> tuple[str, ...]:
    """Return the columns of a node as they may be shown.

    Args:
        nodes: All nodes; those with such columns have been asked for them.
        node: The node; the names that values of rows have made are kept with it.
        names: The names of its columns.
    """
    own = () if node.data_named is None else tuple(names[node.data_named.first :])
    shown = tuple(_shown(nodes, node, names[: len(names) - len(own)]))
    if node.data_named is None:
        return shown
    node.data_names |= frozenset(filter(None, own))  # a value may be empty
    return (*shown, node.data_named.shown)


def shown_column(nodes: Sequence[Node], node: Node, name: str) -> str:
    """Return the name of one column of a node as it may be shown.

    Args:
        nodes: All nodes; those with such columns have been asked for them.
        node: The node.
        name: The name.
    """
    if node.data_named is not None and name in node.data_names:
        return node.data_named.shown
    return next(_shown(nodes, node, (name,)))


def shown_again(nodes: Sequence[Node], node: Node, names: Sequence[str]) -> tuple[str, ...]:
    """Return the columns of a sink that is written once more.

    What is made by the same code has the same names as before, unless a value of a row is one.

    Args:
        nodes: All nodes.
        node: The node of the sink.
        names: The names of the columns.
    """
    if not node.shaped_by:
        return tuple(names)
    known = frozenset(node.columns or ())
    instead = [shown for _, shown in _hidden(nodes, node)]
    return tuple(dict.fromkeys(part for n in names for part in ([n] if n in known else instead)))


def _shown(nodes: Sequence[Node], node: Node, names: Sequence[str]) -> Iterator[str]:
    hidden = [(_pattern(names), shown) for names, shown in _hidden(nodes, node) if names]
    shown = [next((s for pattern, s in hidden if pattern.search(n)), n) for n in names]
    # Without any, two columns of one name stay two.
    yield from dict.fromkeys(shown) if hidden else shown


def _hidden(nodes: Sequence[Node], node: Node) -> Iterator[tuple[frozenset[str], str]]:
    for number in sorted(node.shaped_by):
        maker = nodes[number - 1]
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
