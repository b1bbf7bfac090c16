"""What a step says about the columns of its result, so that Spark need not be asked."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from conformare.capture.source._logic import is_column
from conformare.capture.source._normalise import FRAME_TOKEN
from conformare.capture.spark._fields import keeps_fields

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
        Names, each of them a column of the result; None where only the result knows, also where
        it may have fields inside that no column of those frames has.
    """
    if method in _FEWER:
        return ()
    if method == "withColumn":
        name = args[0] if args else None
        return (name,) if isinstance(name, str) and _all_keep_fields(texts[1:]) else None
    if method == "withColumns":
        columns = args[0] if args else None
        names = tuple(columns) if type(columns) is dict else ()
        known = all(isinstance(name, str) for name in names) and _all_keep_fields(texts)
        return names if names and known else None
    if method in ("select", "toDF", "agg") and not kwargs and len(args) == len(texts):
        return _all_named(map(_name_of, args, texts))
    return None


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


def _parsed(text: str) -> ast.expr | None:
    try:
        return ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError):  # not Python: an argument without source text
        return None


@lru_cache(maxsize=4_096)
def _keeps_fields(text: str) -> bool:
    """Whether what was written for a column, or for several by name, keeps fields."""
    node = _parsed(text)
    columns = node.values if isinstance(node, ast.Dict) else [node]
    return all(column is not None and keeps_fields(column) for column in columns)


def _all_keep_fields(texts: tuple[str, ...]) -> bool:
    return bool(texts) and all(map(_keeps_fields, texts))


@lru_cache(maxsize=4_096)
def _name_in(text: str) -> str | None:
    """Return the name in `'a'`, `F.col('a')`, `_frame_.a`, `_frame_['a']` and `….alias('a')`."""
    node = _parsed(text)
    if node is None:
        return None
    if isinstance(node, ast.Call) and len(node.args) == 1 and not node.keywords:
        called = node.func
        if not isinstance(called, ast.Attribute) or not keeps_fields(node):
            return None
        return _plain(node.args[0]) if called.attr in ("alias", "col", "column") else None
    if isinstance(node, (ast.Attribute, ast.Subscript)):
        if not isinstance(node.value, ast.Name) or node.value.id != FRAME_TOKEN:
            return None
        return node.attr if isinstance(node, ast.Attribute) else _plain(node.slice)
    return _plain(node)


def _plain(node: ast.expr) -> str | None:
    value = node.value if isinstance(node, ast.Constant) else None
    return value if isinstance(value, str) and _NAME.fullmatch(value) else None
