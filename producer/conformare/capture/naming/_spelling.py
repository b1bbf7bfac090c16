"""How Spark spells an expression in the name of a column."""

from __future__ import annotations

from collections.abc import Iterable

BINARY = {
    "==": "=",
    "and": "AND",
    "or": "OR",
    **{sign: sign for sign in ("=", "<=>", "<", "<=", ">", ">=", "+", "-", "*", "/", "%")},
}
"""Functions of two arguments that are written between them."""

GENERATORS = frozenset(
    """
    explode explode_outer posexplode posexplode_outer inline inline_outer stack json_tuple
    variant_explode variant_explode_outer
    """.split()  # noqa: SIM905 - a list of names reads better as words
)
"""Functions that make any number of columns, and name them by themselves."""


def call(name: str, arguments: Iterable[str], *, distinct: bool = False) -> str:
    """Return the text of a function and its arguments."""
    return f"{name}({'DISTINCT ' if distinct else ''}{', '.join(arguments)})"


def operation(name: str, arguments: list[str]) -> str:
    """Return the text of an operator or a function, by the name that it has in Spark."""
    if name in BINARY and len(arguments) == 2:  # noqa: PLR2004 - the two that it stands between
        return f"({arguments[0]} {BINARY[name]} {arguments[1]})"
    if name == "not":
        return f"(NOT {arguments[0]})"
    if name in ("isnull", "isnotnull"):
        return f"({arguments[0]} IS {'NOT ' if name == 'isnotnull' else ''}NULL)"
    if name == "in":
        return f"({arguments[0]} IN ({', '.join(arguments[1:])}))"
    if name in ("like", "rlike"):
        return f"{arguments[0]} LIKE {arguments[1]}" if name == "like" else call("RLIKE", arguments)
    return call(name, arguments)


def cast(value: str, kind: str) -> str:
    """Return the text of a cast."""
    return f"CAST({value} AS {kind.upper()})"


def case(branches: Iterable[tuple[str, str]], otherwise: str | None) -> str:
    """Return the text of a choice."""
    parts = [f"WHEN {condition} THEN {value}" for condition, value in branches]
    return " ".join(["CASE", *parts, *([] if otherwise is None else ["ELSE", otherwise]), "END"])
