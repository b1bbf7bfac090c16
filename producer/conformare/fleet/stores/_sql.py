"""SQL of our own words, in which every value is quoted: the engine has no parameters.

`Sql` is made here alone, so the type checker finds a value that nobody has quoted.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import NewType

import pyarrow as pa

from conformare_schemas import micros

Sql = NewType("Sql", str)
"""A query, or a part of one."""

NOTHING = Sql("")


def composed(words: str, **parts: Sql) -> Sql:
    """Return words of ours with parts in their places, each of which is named in braces.

        composed("SELECT * FROM runs WHERE run_id = {run_id}", run_id=text(run_id))

    Args:
        words: A literal.
        **parts: What comes in the places.
    """
    return Sql(words.format_map(parts))


def joined(parts: Iterable[Sql], between: str = ", ") -> Sql:
    """Return parts one after the other, with words of ours between."""
    return Sql(between.join(parts))


def text(value: str) -> Sql:
    """Return a text as a literal.

    The engine takes a backslash for itself, and a quote is written twice.
    """
    try:
        value.encode()
    except UnicodeEncodeError:  # a name of a file may be so, and nothing in a lake
        return Sql("NULL")
    return Sql("'" + value.replace("'", "''") + "'")


def name(column: str) -> Sql:
    """Return the name of a column or a table, its case kept."""
    return Sql('"' + column.replace('"', '""') + '"')


def number(value: int) -> Sql:
    """Return a whole number as a literal."""
    return Sql(f"{value:d}")


def moment(ts: datetime) -> Sql:
    """Return a time as a literal of the type that `ts` has."""
    return Sql(f"""arrow_cast({micros(ts)}, 'Timestamp(Microsecond, Some("UTC"))')""")


def texts(values: Iterable[str]) -> Sql:
    """Return some texts as literals, with commas between."""
    return joined(map(text, values))


def with_asked(asked: pa.Table) -> Sql:
    """Return the beginning of a query that knows a table, not a large one, as `asked`."""
    names = (
        composed("column{n} AS {name}", n=number(n), name=name(column))
        for n, column in enumerate(asked.column_names, 1)
    )
    rows = (
        composed("({row})", row=joined(map(_literal, row.values()))) for row in asked.to_pylist()
    )
    return composed(
        "WITH asked AS (SELECT {names} FROM (VALUES {rows}))",
        names=joined(names),
        rows=joined(rows),
    )


def _literal(value: str | datetime) -> Sql:
    return moment(value) if isinstance(value, datetime) else text(value)
