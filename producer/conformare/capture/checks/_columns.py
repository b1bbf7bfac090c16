"""Whether a frame has the columns that a check names, as who evaluates it resolves names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from conformare.capture._quiet import spark_quiet
from conformare.capture._untracked import untracked
from conformare.capture.source._kinds import is_data_frame

_COLUMN_ARGUMENTS = ("column", "column_A", "column_B", "column_list", "column_set")
# To be absent is what these ask about: they can be evaluated without the column.
_ABOUT_PRESENCE = ("expect_column_to_exist", "expect_table_columns_to_match")
# So begins the message of Spark where there is more than one such column.
_AMBIGUOUS = "[AMBIGUOUS_"


def is_wanting(frame: Any, expectation: str, arguments: Any) -> bool:
    """Whether a check cannot be evaluated for want of a column of its frame.

    Spark is asked by analysing a selection, since only it knows what a name means: fields in
    structs, quotes, and letters whose case counts or does not.

    Args:
        frame: A frame of Spark or pandas.
        expectation: Type of the expectation.
        arguments: Its arguments.
    """
    if expectation.startswith(_ABOUT_PRESENCE) or not isinstance(arguments, Mapping):
        return False
    values = [arguments.get(argument) for argument in _COLUMN_ARGUMENTS]
    return _lacks(frame, [name for value in values for name in _names_in(value)])


def _names_in(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, (list, tuple, set)):
        yield from (item for item in value if isinstance(item, str))


def _lacks(frame: Any, names: list[str]) -> bool:
    columns = list(map(str, frame.columns))
    if not is_data_frame(frame):
        # Great Expectations itself finds columns of pandas in any case.
        known = {column.casefold() for column in columns}
        return any(name.casefold() not in known for name in names)
    with untracked(), spark_quiet():
        return not all(name in columns or _resolves(frame, name) for name in names)


def _resolves(frame: Any, name: str) -> bool:
    from pyspark.errors import AnalysisException

    try:
        return bool(frame.select(name).columns)
    except AnalysisException as fault:
        return str(fault).startswith(_AMBIGUOUS)
