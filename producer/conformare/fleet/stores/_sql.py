"""Values in SQL: the engine has no parameters, so everything that is asked for is quoted here."""

from __future__ import annotations

from datetime import datetime

from conformare_schemas import micros


def text(value: str) -> str:
    """Return a text as a literal.

    The engine takes a backslash for itself, and a quote is written twice.
    """
    return "'" + value.replace("'", "''") + "'"


def name(column: str) -> str:
    """Return the name of a column or a table, its case kept."""
    return '"' + column.replace('"', '""') + '"'


def moment(ts: datetime) -> str:
    """Return a time as a literal of the type that `ts` has."""
    return f"""arrow_cast({micros(ts)}, 'Timestamp(Microsecond, Some("UTC"))')"""
