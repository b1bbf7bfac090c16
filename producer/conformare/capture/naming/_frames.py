"""Who is asked for the names that Spark has made: the plan, or in Connect what the author wrote."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from conformare.capture._lineage import MadeNames
from conformare.capture.naming._columns import names_in_columns
from conformare.capture.naming._resolved import names_in_plan, names_in_statement
from conformare.capture.naming._texts import names_in_query, names_in_statement_text

SCRIPT_KEY = "__conformare_script__"
"""Where the rows that a script has left carry what it said, in their frame's `__dict__`."""


def remember_script(frame: Any, text: str, values: Sequence[str]) -> None:
    """Keep what a script says: the plan of its rows does not tell which literals name them.

    Args:
        frame: The rows that it has left.
        text: The script.
        values: What its parameters stand for, as texts.
    """
    frame.__dict__[SCRIPT_KEY] = (text, values)


def names_made(frame: Any, names: Sequence[str], *, whole: bool) -> Mapping[str, str]:
    """Return the names that Spark has made of expressions with literals, with what is shown.

    Args:
        frame: A frame of Spark; it is not analysed any further, and no job is run.
        names: The names of its columns.
        whole: Whether the steps before the last one may have made them.
    """
    script = frame.__dict__.get(SCRIPT_KEY)
    if script is not None:
        text, values = script
        return names_in_query(text, values, names)
    if not type(frame).__module__.startswith("pyspark.sql.connect."):
        return names_in_plan(frame, names, whole=whole)
    return names_in_columns(frame._plan, names, whole=whole)  # noqa: SLF001 - the client shows it nowhere else


def names_made_by(
    session: Any, plans: Sequence[Any], text: str, values: Sequence[str]
) -> MadeNames:
    """Return who knows the names that Spark has made in a statement without rows.

    Args:
        session: The session.
        plans: The plans of its queries, in a classic session.
        text: The statement.
        values: What its parameters stand for, as texts.
    """
    if type(session).__module__.startswith("pyspark.sql.connect."):
        return lambda: names_in_statement_text(text, values)
    return lambda: names_in_statement(session._jvm, plans)  # noqa: SLF001 - Spark shows plans nowhere else
