"""Values in SQL: the engine has no parameters, so everything that is asked for is quoted here."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import pyarrow as pa

from conformare_schemas import micros


def text(value: str) -> str:
    """Return a text as a literal.

    The engine takes a backslash for itself, and a quote is written twice.
    """
    try:
        value.encode()
    except UnicodeEncodeError:  # a name of a file may be so, and nothing in a lake
        return "NULL"
    return "'" + value.replace("'", "''") + "'"


def name(column: str) -> str:
    """Return the name of a column or a table, its case kept."""
    return '"' + column.replace('"', '""') + '"'


def moment(ts: datetime) -> str:
    """Return a time as a literal of the type that `ts` has."""
    return f"""arrow_cast({micros(ts)}, 'Timestamp(Microsecond, Some("UTC"))')"""


def texts(values: Iterable[str]) -> str:
    """Return some texts as literals, with commas between."""
    return ", ".join(map(text, values))


def with_asked(asked: pa.Table) -> str:
    """Return the beginning of a query that knows a table, not a large one, as `asked`."""
    names = (f"column{n} AS {name(column)}" for n, column in enumerate(asked.column_names, 1))
    rows = (", ".join(map(_literal, row.values())) for row in asked.to_pylist())
    values = ", ".join(f"({row})" for row in rows)
    return f"WITH asked AS (SELECT {', '.join(names)} FROM (VALUES {values}))"


def _literal(value: str | datetime) -> str:
    return moment(value) if isinstance(value, datetime) else text(value)
