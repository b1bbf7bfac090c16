"""What Spark says about the columns of a frame: their names, and which of these hold data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from conformare._guard import guard
from conformare.capture._data_names import EXPRESSION, is_plain
from conformare.capture._lineage import Columns, ColumnsOf
from conformare.capture._nested import columns_in, columns_of_frame
from conformare.capture.naming import names_made
from conformare.capture.source._kinds import is_data_frame


class Told(NamedTuple):
    """What was told about columns.

    Attributes:
        columns: The columns.
        made: Names among them that Spark has made of expressions with literals, and what is shown
            in place of each.
    """

    columns: Columns = Columns()
    made: Mapping[str, str] = {}


class OfFrame:
    """Asks a frame for its columns."""

    def __init__(self, frame: Any) -> None:
        """Ask a frame, when called."""
        self.frame = frame

    def __call__(self) -> Any:
        return columns_of_frame(self.frame)


def told_by(asked: ColumnsOf, *, named: bool = False, whole: bool = False) -> Told:
    """Return what is told about columns.

    Args:
        asked: Asks for them.
        named: Whether Spark may have named some of them after their expressions.
        whole: Whether the steps before the last one may have, too.
    """
    with guard:
        columns = columns_in(asked())
        if not (named and isinstance(asked, OfFrame) and is_data_frame(asked.frame)):
            return Told(columns)
        # What Spark has made is not shown where nobody can tell what it is made of.
        made: Mapping[str, str] = {n: EXPRESSION for n in columns.names if not is_plain(n)}
        with guard:
            made = names_made(asked.frame, columns.names, whole=whole)
        return Told(columns, {name: shown for name, shown in made.items() if name})
    return Told()
