"""Columns of a Connect session, from the objects that its client keeps of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
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
)
from conformare.capture.naming._literals import may_be_shown
from conformare.capture.naming._texts import (
    item_of_text,
    names_in_query,
    names_in_statement_text,
)

_EXPRESSIONS = "pyspark.sql.connect.expressions"
_PLANS = "pyspark.sql.connect.plan"
_MANY = frozenset(("UnresolvedStar", "UnresolvedRegex"))
# The first and the last row that a window may reach.
_UNBOUNDED = 1 << 31


def names_in_columns(plan: Any, names: Sequence[str], *, whole: bool) -> dict[str, str]:
    """Return the names that Spark has made of literals, with what is shown instead.

    Args:
        plan: What the client of Connect knows of a frame.
        names: The names of its columns.
        whole: Whether the steps before the last one are looked at as well.
    """
    made = _made_by(plan, names)
    # Nobody knows what the columns of the plans below are called.
    below = [literal for each in _below(plan) for literal in _literals_of(each)] if whole else []
    return {**doubtful(names, below), **made} if below else made


def _literals_of(plan: Any) -> Iterator[str]:
    """Yield the literals in the names that a plan has made."""
    said = _query_of(plan)
    if said is not None:
        yield from names_in_statement_text(*said)
    for item in _list_of(plan, ()):
        yield from item.literals


def _query_of(plan: Any) -> tuple[str, list[str]] | None:
    """Return the query that a plan is, with what its parameters stand for."""
    kind = type(plan).__name__
    if kind == "SQL":
        return plan._query, []  # noqa: SLF001 - the client shows it nowhere else
    if kind == "CachedRelation":  # the server's own word for the query
        said = plan._plan.sql  # noqa: SLF001 - as above
        return (said.query, list(_parameters(said))) if said.query else None
    return None


def _below(plan: Any) -> Iterator[Any]:
    """Yield the plans that a plan is made from."""
    waiting = [plan]
    while waiting:
        parts = [p for p in vars(waiting.pop()).values() if type(p).__module__ == _PLANS]
        yield from parts
        waiting += parts


def _made_by(plan: Any, names: Sequence[str]) -> dict[str, str]:
    """Return the names that the last step has made."""
    said = _query_of(plan)
    return made_of(_list_of(plan, names), names) if said is None else names_in_query(*said, names)


def _list_of(plan: Any, names: Sequence[str]) -> list[Item]:
    """Return the list of columns that a plan is made of, none if it is none."""
    kind = type(plan).__name__
    if kind == "Project":
        return [_item(column) for column in plan._columns]  # noqa: SLF001 - the client shows it nowhere else
    if kind != "Aggregate":
        return [MANY]
    keys = [_item(column) for column in plan._grouping_cols]  # noqa: SLF001 - as above
    values = [_item(column) for column in plan._aggregate_cols]  # noqa: SLF001 - as above
    if plan._group_type == "pivot":  # noqa: SLF001 - as above
        # A single value is named after the columns of the pivot alone.
        several = [item for item in values if item.spelled is not None and len(values) > 1]
        literals = frozenset[str]().union(*(item.literals for item in several))
        values = [Item(EXPRESSION if several else None, literals, is_one=False)]
    elif len(names) == len(values):  # a session may leave the keys out
        keys = []
    return [*keys, *values]


def _parameters(said: Any) -> Iterator[str]:
    """Yield what the parameters of a query stand for, as texts."""
    older = (*getattr(said, "pos_args", ()), *getattr(said, "args", {}).values())
    given = (*getattr(said, "pos_arguments", ()), *getattr(said, "named_arguments", {}).values())
    for literal in (*older, *(expression.literal for expression in given)):
        yield str(getattr(literal, literal.WhichOneof("literal_type") or "null"))


def _item(column: Any) -> Item:
    """Return what an argument of `select` or `agg` is in the list of columns."""
    if isinstance(column, str):
        return MANY if column.endswith("*") else COLUMN
    expression = column._expr  # noqa: SLF001 - the client shows it nowhere else
    kind = type(expression).__name__
    if kind == "ColumnAlias":
        return NAMED if len(expression._alias) == 1 else MANY  # noqa: SLF001 - as above
    if kind in _MANY or getattr(expression, "_name", "") in spelling.GENERATORS:
        return MANY
    if kind == "SQLExpression":
        return item_of_text(expression._expr)  # noqa: SLF001 - as above
    written = _Written()
    spelled = written.text(expression)
    if not written.literals:
        return COLUMN
    return Item(spelled, frozenset(written.literals), field=written.field(expression))


class _Written:
    """Spells an expression."""

    def __init__(self) -> None:
        self.literals: list[str] = []
        self._spellings: dict[str, Callable[..., str]] = {
            "LiteralExpression": self._literal,
            "ColumnReference": self._column,
            "UnresolvedFunction": self._call,
            "CallFunction": self._call,
            "CaseWhen": self._case,
            "CastExpression": self._cast,
            "UnresolvedExtractValue": self._part,
        }

    def text(self, expression: Any) -> str:
        """Return the text of an expression, or one that says nothing of it."""
        try:
            return self._text(expression)
        except LookupError:
            self.literals += _literals(expression)
            return EXPRESSION

    def field(self, expression: Any) -> str | None:
        """Return the name that an expression has if it is a field, or that of what is cast."""
        kind = type(expression).__name__
        if kind == "CastExpression":
            names = getattr(expression._expr, "_alias", None)  # noqa: SLF001 - as above
            return str(names[0]) if names else None
        if kind != "UnresolvedExtractValue":
            return None
        child, extraction = expression._child, expression._extraction  # noqa: SLF001 - as above
        if type(extraction).__name__ != "LiteralExpression":
            return None
        return f"{_Written().text(child)}.{extraction._value}"  # noqa: SLF001 - as above

    def _text(self, expression: Any) -> str:
        return self._spellings[type(expression).__name__](**vars(expression))

    # The parameters have the names of the client's attributes.

    def _literal(self, _value: Any, **_: Any) -> str:
        text = _literal_text(_value)
        if not may_be_shown(text):
            self.literals.append(text)
            return marked(text)
        return text

    def _column(self, _unparsed_identifier: str, **_: Any) -> str:
        return _unparsed_identifier.replace("`", "")

    def _call(self, _name: str, _args: Any, _is_distinct: bool = False, **_: Any) -> str:
        arguments = [self._text(argument) for argument in _args]
        if _is_distinct:
            return spelling.call(_name, arguments, distinct=True)
        return spelling.operation(_name, arguments)

    def _case(self, _branches: Any, _else_value: Any, **_: Any) -> str:
        branches = [(self._text(condition), self._text(value)) for condition, value in _branches]
        return spelling.case(branches, None if _else_value is None else self._text(_else_value))

    def _cast(self, _expr: Any, _data_type: Any, **_: Any) -> str:
        kind = _data_type if isinstance(_data_type, str) else _data_type.simpleString()
        return spelling.cast(self._text(_expr), kind)

    def _part(self, _child: Any, _extraction: Any, **_: Any) -> str:
        return f"{self._text(_child)}[{self._text(_extraction)}]"


def _literal_text(value: Any) -> str:
    if value is None:
        return "NULL"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _literals(part: Any) -> Iterator[str]:
    """Yield the literals in an expression whose spelling is not known."""
    kind = type(part).__name__
    if isinstance(part, (list, tuple)):
        for each in part:
            yield from _literals(each)
    elif kind == "LiteralExpression":
        yield from (t for t in (_literal_text(part._value),) if not may_be_shown(t))  # noqa: SLF001 - as above
    elif kind == "SQLExpression":
        yield from item_of_text(part._expr).literals  # noqa: SLF001 - as above
    elif kind == "WindowSpec":
        yield from _literals([part._partitionSpec, part._orderSpec])  # noqa: SLF001 - as above
        yield from _bounds(part._frame)  # noqa: SLF001 - as above
    elif kind == "Column" or type(part).__module__ == _EXPRESSIONS:
        yield from _literals(list(vars(part).values()))


def _bounds(frame: Any) -> Iterator[str]:
    """Yield how far a window reaches, where it is not to the first or the last row."""
    for bound in () if frame is None else (frame._start, frame._end):  # noqa: SLF001 - as above
        if abs(bound) < _UNBOUNDED and not may_be_shown(str(bound)):
            yield str(abs(bound))
