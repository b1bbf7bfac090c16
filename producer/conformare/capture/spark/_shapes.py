"""What a step says about the columns of its result, so that Spark need not be asked."""

from __future__ import annotations

import re
from typing import Any

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
    method: str, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[str, ...] | None:
    """Return the names that a result may have beyond those of the frames that it was made from.

    Args:
        method: Name of the method.
        args: Its positional arguments.
        kwargs: Its keyword arguments.

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
    if method in ("select", "toDF") and args and not kwargs and all(map(_is_name, args)):
        return args
    return None


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and _NAME.fullmatch(value) is not None
