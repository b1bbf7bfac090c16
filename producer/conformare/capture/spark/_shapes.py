"""What a step says about the columns of its result, so that Spark need not be asked."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from conformare.capture._lineage import DataNamed
from conformare.capture.source._logic import is_column
from conformare.capture.source._normalise import FRAME_TOKEN

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


def introduced_names(
    method: str, args: tuple[Any, ...], kwargs: dict[str, Any], texts: tuple[str, ...]
) -> tuple[str, ...] | None:
    """Return the names that a result may have beyond those of the frames that it was made from.

    Args:
        method: Name of the method.
        args: Its positional arguments.
        kwargs: Its keyword arguments.
        texts: What was written for each positional argument.

    Returns:
        Names, each of them a column of the result; None where only the result knows.
    """
    if method in _FEWER:
        return ()
    if method == "withColumn":
        name = args[0] if args else kwargs.get("colName")
        return (name,) if isinstance(name, str) else None
    if method == "withColumns":
        columns = args[0] if args else kwargs.get("colsMap")
        names = tuple(columns) if type(columns) is dict else ()
        return names if names and all(isinstance(name, str) for name in names) else None
    if method in ("select", "toDF", "agg") and not kwargs and len(args) == len(texts):
        return _all_named(map(_name_of, args, texts))
    return None


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


def names_of_keys(texts: Iterable[str]) -> tuple[str, ...] | None:
    """Return the names of the columns that a frame is grouped by, None if they are not plain.

    Args:
        texts: What was written for each of them.
    """
    return _all_named(map(_name_in, texts))


def _all_named(names: Iterable[str | None]) -> tuple[str, ...] | None:
    found = tuple(names)
    known = tuple(name for name in found if name is not None)
    return known if found and len(known) == len(found) else None


def _name_of(value: Any, text: str) -> str | None:
    """Return the name of the column that an argument makes."""
    if isinstance(value, str):
        return value if _NAME.fullmatch(value) else None
    return _name_in(text) if is_column(value) else None


@lru_cache(maxsize=4_096)
def _name_in(text: str) -> str | None:
    """Return the name in `'a'`, `F.col('a')`, `_frame_.a`, `_frame_['a']` and `….alias('a')`."""
    try:
        node = ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError):  # not Python: an argument without source text
        return None
    if isinstance(node, ast.Call) and len(node.args) == 1 and not node.keywords:
        called = node.func
        by_name = isinstance(called, ast.Attribute) and called.attr in ("alias", "col", "column")
        return _plain(node.args[0]) if by_name else None
    if isinstance(node, (ast.Attribute, ast.Subscript)):
        if not isinstance(node.value, ast.Name) or node.value.id != FRAME_TOKEN:
            return None
        return node.attr if isinstance(node, ast.Attribute) else _plain(node.slice)
    return _plain(node)


def _plain(node: ast.expr) -> str | None:
    value = node.value if isinstance(node, ast.Constant) else None
    return value if isinstance(value, str) and _NAME.fullmatch(value) else None
