"""What a step was asked to do, as text: from the source, or else from the arguments themselves."""

from __future__ import annotations

import sys
from types import FrameType
from typing import Any

from conformare.capture._callsite import Authored, authored_call, users_frame
from conformare.capture._normalise import FRAME_TOKEN


def is_data_frame(value: Any) -> bool:
    """Whether a value is a data frame of Spark, without importing Spark."""
    pyspark_sql = sys.modules.get("pyspark.sql")
    return pyspark_sql is not None and isinstance(value, pyspark_sql.DataFrame)


def _is_column(value: Any) -> bool:
    pyspark_sql = sys.modules.get("pyspark.sql")
    return pyspark_sql is not None and isinstance(value, pyspark_sql.Column)


def authored(
    frame: FrameType | None, names: tuple[str, ...], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Authored:
    """Return what was written at a call.

    Args:
        frame: Where to start looking for the user's code.
        names: Names that the method may have in the source.
        args: The positional arguments, for want of source text.
        kwargs: The keyword arguments, for want of source text.
    """
    found = authored_call(users_frame(frame), names, is_data_frame)
    if found is not None:
        return found
    return Authored(
        tuple(text_of(arg) for arg in args),
        {name: text_of(value) for name, value in sorted(kwargs.items())},
    )


def text_of(value: Any) -> str:
    """Return an argument as text that does not change from run to run.

    Args:
        value: Any argument of a call; a Column shows its expression.
    """
    if is_data_frame(value):
        return FRAME_TOKEN
    if _is_column(value):
        return str(value)
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(text_of(item) for item in value)}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{text_of(k)}: {text_of(v)}' for k, v in value.items())}}}"
    if value is None or isinstance(value, (str, bytes, bool, int, float)):
        return repr(value)
    # The text of any other object may hold its address, which no two runs share.
    return str(getattr(value, "__qualname__", type(value).__qualname__))
