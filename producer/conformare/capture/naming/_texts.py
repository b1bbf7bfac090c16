"""Columns that are written as text, by a parser of the dialect: for Connect sessions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from conformare.capture._data_names import EXPRESSION
from conformare.capture.naming import _spelling as spelling
from conformare.capture.naming._lists import (
    COLUMN,
    MANY,
    NAMED,
    Item,
    doubtful,
    made_of,
    marked,
    named_by_author,
)
from conformare.capture.naming._literals import HIDDEN, may_be_shown
from conformare.capture.naming._quotes import quoted_in, says_all, without_escapes
from conformare.capture.sql._dialect import DIALECT, is_installed, parsed

# Where a query that others read from stands.
_BELOW = ("From", "Join", "CTE", "Lateral")


def item_of_text(text: str) -> Item:
    """Return what a text is in a list of columns, as in `expr` and `selectExpr`.

    Args:
        text: The text.
    """
    tree = _parsed(f"SELECT {text}")
    if tree is None or len(tree.selects) != 1:
        literals = frozenset(quoted_in(text))
        return Item(EXPRESSION, literals, is_one=False) if literals else MANY
    return _item(tree.selects[0])


def names_in_query(text: str, values: Iterable[str], names: Sequence[str]) -> dict[str, str]:
    """Return the names that Spark has made of literals in a query, with what is shown instead.

    Args:
        text: The query.
        values: What its parameters stand for, as texts.
        names: The names of its columns.
    """
    tree = _parsed(text)
    if tree is None or not hasattr(tree, "selects"):
        if not says_all(text):
            return doubtful(names, names)
        literals = [*quoted_in(text), *values]
        return doubtful(names, literals) if literals else {}
    items = [_item(column) for column in tree.selects]
    below = list(_items_below(tree))
    made = made_of(items, names)
    if all(item.spelled is None for item in below):
        return made
    # Nobody knows which of the names come from there.
    literals = [*values, *(literal for item in below for literal in item.literals)]
    given = named_by_author(items, names)
    return {**doubtful((n for n in names if n not in given), literals), **made}


def names_in_statement_text(text: str, values: Iterable[str]) -> dict[str, str]:
    """Return what is shown of names that a statement without rows may have made of literals.

    Args:
        text: The statement.
        values: What its parameters stand for, as texts.
    """
    tree = _parsed(text)
    if tree is None:
        literals = list(quoted_in(text))
    else:
        items = [_item(column) for select in _all(tree, "Select") for column in select.selects]
        made = [item for item in (*items, *_items_below(tree)) if item.spelled is not None]
        literals = [literal for item in made for literal in item.literals]
    return {**dict.fromkeys([*literals, *values], HIDDEN), "": EXPRESSION} if literals else {}


def _parsed(text: str) -> Any:
    """Return the tree of a statement, None where nobody understands it."""
    tree = parsed(without_escapes(text))[0] if is_installed() else None
    return None if type(tree).__name__ == "Command" else tree


def _all(tree: Any, kind: str) -> Iterator[Any]:
    return (node for node in tree.walk() if type(node).__name__ == kind)


def _items_below(tree: Any) -> Iterator[Item]:
    """Yield the columns of the queries that a query reads from."""
    from sqlglot import exp

    below = tuple(getattr(exp, kind) for kind in _BELOW)
    for select in tree.find_all(exp.Select):
        if select.find_ancestor(*below) is not None:
            yield from map(_item, select.selects)
    for pivot in tree.find_all(exp.Pivot):
        yield from map(_item, pivot.expressions)


def _item(node: Any) -> Item:
    """Return what an entry of a list of columns is."""
    from sqlglot import exp

    if isinstance(node, exp.Alias):
        return NAMED
    if isinstance(node, exp.Aliases) or node.is_star:
        return MANY
    if isinstance(node, (exp.Column, exp.Subquery)):
        return COLUMN
    if isinstance(node, exp.Func) and _name_of(node) in spelling.GENERATORS:
        return MANY
    written = _Written()
    spelled = written.text(node)
    if not written.literals:
        return COLUMN
    return Item(spelled, frozenset(written.literals), field=written.field(node))


def _name_of(function: Any) -> str:
    from sqlglot import exp

    name = function.name if isinstance(function, exp.Anonymous) else function.sql_name()
    return str(name).lower()


class _Written:
    """Spells an expression."""

    def __init__(self) -> None:
        from sqlglot import exp

        self._exp = exp
        self.literals: list[str] = []
        self._spellings: dict[Any, Callable[[Any], str]] = {
            exp.Paren: lambda node: self._text(node.this),
            exp.Null: lambda _: "NULL",
            exp.Boolean: lambda node: "true" if node.this else "false",
            exp.Literal: self._literal,
            exp.Neg: self._negative,
            exp.Placeholder: self._literal,
            exp.Parameter: self._literal,
            exp.Column: self._column,
            exp.Not: lambda node: spelling.operation("not", self._texts(node.this)),
            exp.In: self._in,
            exp.Case: self._case,
            exp.Cast: self._cast,
            exp.Count: self._count,
            exp.Anonymous: lambda node: self._call(node.name.lower(), node.expressions),
        }
        self._binary = {
            exp.EQ: "=",
            exp.NullSafeEQ: "<=>",
            exp.LT: "<",
            exp.LTE: "<=",
            exp.GT: ">",
            exp.GTE: ">=",
            exp.Add: "+",
            exp.Sub: "-",
            exp.Mul: "*",
            exp.Div: "/",
            exp.Mod: "%",
            exp.And: "and",
            exp.Or: "or",
            exp.Like: "like",
        }

    def text(self, node: Any) -> str:
        """Return the text of an expression, or one that says nothing of it."""
        try:
            return self._text(node)
        except LookupError:
            self.literals += self._below(node)
            return EXPRESSION

    def field(self, node: Any) -> str | None:
        """Return the name that an expression has if it is a field of a struct."""
        exp = self._exp
        if not isinstance(node, exp.Bracket) or len(node.expressions) != 1:
            return None
        key = node.expressions[0]
        return f"{_Written().text(node.this)}.{key.name}" if isinstance(key, exp.Literal) else None

    def _text(self, node: Any) -> str:
        kind = type(node)
        if kind in self._binary:
            return spelling.operation(self._binary[kind], self._texts(node.left, node.right))
        return self._spellings.get(kind, self._function)(node)

    def _texts(self, *nodes: Any) -> list[str]:
        return [self._text(node) for node in nodes]

    def _literal(self, node: Any) -> str:
        if may_be_shown(node.name):
            return str(node.name)
        self.literals.append(node.name)
        return marked(node.name)

    def _negative(self, node: Any) -> str:
        if type(node.this) is not self._exp.Literal:
            return f"(- {self._text(node.this)})"
        self.literals.append(f"-{node.this.name}")
        return marked(f"-{node.this.name}")

    def _column(self, node: Any) -> str:
        if node.is_star:
            raise LookupError("it is any number of columns")
        return str(node.name)

    def _in(self, node: Any) -> str:
        if not node.expressions:
            raise LookupError("it is in a query")
        return spelling.operation("in", self._texts(node.this, *node.expressions))

    def _case(self, node: Any) -> str:
        if node.this is not None:
            raise LookupError("the spelling is not known")
        branches = [
            (self._text(branch.this), self._text(branch.args["true"]))
            for branch in node.args["ifs"]
        ]
        otherwise = node.args.get("default")
        return spelling.case(branches, None if otherwise is None else self._text(otherwise))

    def _cast(self, node: Any) -> str:
        return spelling.cast(self._text(node.this), node.to.sql(DIALECT))

    def _count(self, node: Any) -> str:
        if isinstance(node.this, self._exp.Star):
            return "count(1)"
        distinct = isinstance(node.this, self._exp.Distinct)
        parts = node.this.expressions if distinct else [node.this, *node.expressions]
        return spelling.call("count", self._texts(*parts), distinct=distinct)

    def _call(self, name: str, arguments: Iterable[Any]) -> str:
        return spelling.operation(name, self._texts(*arguments))

    def _function(self, node: Any) -> str:
        """Return the text of a function of which nothing but its arguments is said."""
        said = [value for value in node.args.values() if value not in (None, [], False, True)]
        parts = [each for value in said for each in (value if isinstance(value, list) else [value])]
        plain = all(isinstance(part, self._exp.Expression) for part in parts)
        if not (plain and isinstance(node, self._exp.Func)):
            raise LookupError("the spelling is not known")
        return self._call(_name_of(node), parts)

    def _below(self, node: Any) -> Iterator[str]:
        """Yield the literals in an expression whose spelling is not known."""
        exp = self._exp
        holding = (exp.Literal, exp.Placeholder, exp.Parameter, exp.Command)
        for each in node.walk(prune=lambda node: isinstance(node, exp.Query)):
            kind = type(each).__name__
            # Other forms of literals are classes of their own: `X'41'`, `$.name`.
            if isinstance(each, holding) or "String" in kind or kind.startswith("JSONPath"):
                text = each.name
            else:
                text = each.this.name if isinstance(each, exp.PropertyEQ) else "1"
            if not may_be_shown(text):
                yield text
