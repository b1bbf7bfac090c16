"""What a step was asked to do, as text: from the source, or else from the arguments themselves."""

from __future__ import annotations

from types import FrameType
from typing import Any

from conformare.capture.source._callsite import Authored, authored_call, site_of, users_frame
from conformare.capture.source._functions import function_text
from conformare.capture.source._kinds import is_data_frame
from conformare.capture.source._values import text_of


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
    frame = users_frame(frame)
    found = authored_call(frame, names, is_data_frame, function_text)
    if found is not None:
        return found
    return Authored(
        tuple(text_of(arg) for arg in args),
        {name: text_of(value) for name, value in sorted(kwargs.items())},
        site=None if frame is None else site_of(frame),
    )
