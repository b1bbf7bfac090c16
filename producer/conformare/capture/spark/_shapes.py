"""What a step says about the columns of its result, so that Spark need not be asked."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from conformare.capture._lineage import DataNamed, Introduced
from conformare.capture.source._kinds import is_column
from conformare.capture.source._normalise import FRAME_TOKEN
from conformare.capture.spark._fields import Inside, fields_inside

_SAME = frozenset(
    """
    alias filter where dropDuplicates drop_duplicates dropDuplicatesWithinWatermark distinct
    fillna dropna replace union unionAll intersect intersectAll exceptAll subtract orderBy sort
    sortWithinPartitions limit offset sample sampleBy randomSplit repartition repartitionByRange
    repartitionById coalesce hint checkpoint localCheckpoint withWatermark observe fill
    """.split()  # noqa: SIM905 - a list of names reads better as words
)
_FEWER = frozenset(("join", "crossJoin", "lateralJoin", "drop", "unionByName"))
# A name with a dot or a star in it is more than a name.
_NAME = re.compile(r"\w+")


def has_same_columns(method: str, owner: str) -> bool:
    """Whether the result of a method has the columns of the frame that it belongs to.

    Args:
        method: Name of the method.
        owner: Name of its class; `na.drop` drops rows, `drop` columns.
    """
    return method in _SAME or (method == "drop" and owner == "DataFrameNaFunctions")


def introduced(
    method: str, args: tuple[Any, ...], kwargs: dict[str, Any], texts: tuple[str, ...]
) -> Introduced | None:
    """Return what a result may have beyond the columns of the frames that it was made from.

    Args:
        method: Name of the method.
        args: Its positional arguments.
        kwargs: Its keyword arguments.
        texts: What was written for each positional argument.

    Returns:
        Names, each of them a column of the result; None where only the result knows, also where
        it may have fields inside that no column of those frames has.
    """
    if method in _FEWER:
        return Introduced(())
    columns: list[_Column] = []
    if kwargs or not args or len(args) != len(texts):
        return None
    if method == "withColumn":
        columns = [(_text_of(args[0]), _inside(texts[-1]))]
    elif method == "withColumns" and type(args[0]) is dict:
        columns = [(_text_of(name), _inside(texts[0])) for name in args[0]]
    elif method == "toDF":
        columns = [(_plain_name(name), Inside.MOVED) for name in args]
    elif method in ("select", "agg"):
        columns = list(map(_column_of, args, texts))
    return _all_of(columns) if columns else None


def named_by_data(method: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> DataNamed | None:
    """Return which columns of a result values of rows have named, None if there are none.

    Args:
        method: Name of a method of a frame.
        args: Its positional arguments.
        kwargs: Its keyword arguments.
    """
    if method == "crosstab":
        column = args[1] if len(args) > 1 else kwargs.get("col2")
    elif method == "transpose":
        column = args[0] if args else kwargs.get("indexColumn")
    else:
        return None
    return DataNamed(f"{method}({_column_named(column)})", first=1)


def pivoted_by(args: tuple[Any, ...], kwargs: dict[str, Any], written: str) -> str | None:
    """Return what stands for the columns of a pivot, None where the author has listed its values.

    Args:
        args: The positional arguments of `pivot`.
        kwargs: Its keyword arguments.
        written: What was written for its values, "" where that is not known.
    """
    values = args[1] if len(args) > 1 else kwargs.get("values")
    if values is not None and _is_literal(written):
        return None
    return f"pivot({_column_named(args[0] if args else kwargs.get('pivot_col'))})"


def size_of_keys(args: Iterable[Any]) -> int:
    """Return how many columns a frame is grouped by.

    Args:
        args: The arguments of the grouping, each a column or a list of them.
    """
    return sum(size_of_keys(arg) if isinstance(arg, (list, tuple)) else 1 for arg in args)


def _column_named(column: Any) -> str:
    return column if isinstance(column, str) else ""


def _is_literal(text: str) -> bool:
    """Whether values are written where they are used, or behind the name of a constant."""
    try:
        ast.literal_eval(text)
    except (SyntaxError, ValueError, TypeError, MemoryError, RecursionError):
        return text.startswith("literal:")  # a long one
    return True


def introduced_keys(texts: Iterable[str]) -> Introduced | None:
    """Return the columns that a frame is grouped by, None if they are not plain.

    Args:
        texts: What was written for each of them.
    """
    return _all_of(list(map(_column_in, texts)))


_Column = tuple[str | None, Inside]
"""Name of a column, None if it is not plain, and where the fields inside it are from."""


def _all_of(columns: list[_Column]) -> Introduced | None:
    names = tuple(name for name, _ in columns if name is not None)
    inside = max((inside for _, inside in columns), default=Inside.NOTHING)
    if len(names) < len(columns) or inside is Inside.NEW:
        return None
    return Introduced(names, inside is Inside.MOVED)


def _text_of(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _plain_name(value: Any) -> str | None:
    return value if isinstance(value, str) and _NAME.fullmatch(value) else None


def _column_of(value: Any, text: str) -> _Column:
    """Return the column that an argument makes."""
    if isinstance(value, str):
        return _plain_name(value), Inside.NOTHING
    return _column_in(text) if is_column(value) else (None, Inside.NEW)


def _parsed(text: str) -> ast.expr | None:
    try:
        return ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError):  # not Python: an argument without source text
        return None


@lru_cache(maxsize=4_096)
def _inside(text: str) -> Inside:
    """Return where fields are from inside what was written for a column, or several by name."""
    node = _parsed(text)
    if isinstance(node, ast.Dict):
        return max(map(fields_inside, node.values), default=Inside.NEW)
    return Inside.NEW if node is None else fields_inside(node)


@lru_cache(maxsize=4_096)
def _column_in(text: str) -> _Column:
    """Return the column in `'a'`, `F.col('a')`, `_frame_.a`, `_frame_['a']` and `….alias('a')`."""
    node = _parsed(text)
    if isinstance(node, ast.Call) and len(node.args) == 1 and not node.keywords:
        called = node.func
        if not isinstance(called, ast.Attribute):
            return None, Inside.NEW
        if called.attr == "alias":
            return _plain(node.args[0]), fields_inside(called.value)
        return _plain(node.args[0]) if called.attr in ("col", "column") else None, Inside.NOTHING
    if isinstance(node, (ast.Attribute, ast.Subscript)):
        if not isinstance(node.value, ast.Name) or node.value.id != FRAME_TOKEN:
            return None, Inside.NEW
        name = node.attr if isinstance(node, ast.Attribute) else _plain(node.slice)
        return name, Inside.NOTHING
    return _plain(node), Inside.NOTHING


def _plain(node: ast.expr | None) -> str | None:
    return _plain_name(node.value) if isinstance(node, ast.Constant) else None
