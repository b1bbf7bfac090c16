"""Values as text that does not change from run to run, for want of source text.

No text holds an address or depends on the order of a set, and none is made by code of the user's.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator
from itertools import islice
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import Any

from conformare.capture.source._functions import function_text
from conformare.capture.source._kinds import is_column, is_data_frame, is_spark
from conformare.capture.source._normalise import FRAME_TOKEN
from conformare.capture.source._scalars import MOST_ITEMS, scalar_text, set_text, shortened

# As much of an argument is looked at.
_MOST_PARTS = 1_000
_MOST_DEPTH = 10


def text_of(value: Any) -> str:
    """Return an argument as text that does not change from run to run.

    Only so much of it is looked at as costs nothing; of an object that is neither Spark's nor
    built in, no more than its class.

    Args:
        value: Any argument of a call; a Column shows its expression.
    """
    return _text_of(value, iter(range(_MOST_PARTS)), _MOST_DEPTH)


def _text_of(value: Any, room: Iterator[int], depth: int) -> str:
    if is_data_frame(value):
        return FRAME_TOKEN
    if is_column(value):
        return _column_text(value)
    if is_spark("DataType", value, "pyspark.sql.types"):
        spark_own = type(value).__module__ == "pyspark.sql.types"
        return shortened(value.simpleString()) if spark_own else _name_of(value)
    text = scalar_text(value)
    if text is not None:
        return text
    return function_text(value, {}) or _container_text(value, room, depth) or _name_of(value)


def _column_text(column: Any) -> str:
    try:
        text = str(column)
    except RecursionError:
        return "Column"
    # Spark numbers the variables of lambda functions for as long as the process lives.
    if "lambda" in text.lower():
        variables: dict[str, str] = {}
        text = re.sub(
            r"\b([xyz])_\d+\b",
            lambda found: variables.setdefault(found[0], f"{found[1]}_{len(variables)}"),
            text,
        )
    return shortened(text)


def _container_text(value: Any, room: Iterator[int], depth: int) -> str | None:
    kind = type(value)
    if issubclass(kind, (set, frozenset)):
        return set_text(value, lambda part: _text_of(part, iter(()), 0))
    if depth == 0:
        return None
    if kind is functools.partial:
        return f"partial{_text_of([value.func, value.args, value.keywords], room, depth - 1)}"
    if issubclass(kind, dict):
        pairs = (
            f"{_text_of(key, room, depth - 1)}: {_text_of(item, room, depth - 1)}"
            for key, item in _first(dict.items(value), room)
        )
        return f"{{{_joined(pairs, dict.__len__(value))}}}"
    for base in (list, tuple):
        if issubclass(kind, base):
            parts = _first(base.__iter__(value), room)
            items = (_text_of(part, room, depth - 1) for part in parts)
            return f"[{_joined(items, base.__len__(value))}]"
    return None


def _first(parts: Iterable[Any], room: Iterator[int]) -> Iterator[Any]:
    return (part for part, _ in zip(islice(parts, MOST_ITEMS), room, strict=False))


def _joined(texts: Iterator[str], size: int) -> str:
    shown = list(texts)
    return ", ".join([*shown, *([f"... of {size}"] if len(shown) < size else [])])


def _name_of(value: Any) -> str:
    """Return the name of a function or a class, or else of the class of a value."""
    if type(value) is MethodType:
        value = value.__func__
    if issubclass(type(value), (FunctionType, BuiltinFunctionType)):
        return str(value.__qualname__)
    owner: type = value if issubclass(type(value), type) else type(value)
    return owner.__qualname__
