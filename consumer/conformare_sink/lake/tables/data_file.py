"""A file of rows in a table's folder: its content, and what Delta's log says of it."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

LONGEST_STATISTIC = 64
"""Characters; longer texts are cut in the statistics, as Delta's own writers do."""


def parquet(rows: pa.Table) -> bytes:
    """Return rows as the content of a file."""
    sink = pa.BufferOutputStream()
    pq.write_table(rows, sink, compression="snappy")
    content: bytes = sink.getvalue().to_pybytes()
    return content


def statistics(rows: pa.Table, names: tuple[str, ...]) -> str:
    """Return a file's statistics as Delta's log holds them."""
    smallest: dict[str, str] = {}
    largest: dict[str, str] = {}
    for name in names:
        extremes = pc.min_max(rows.column(name)).as_py()
        if extremes["min"] is None:
            continue  # there are nothing but nulls
        smallest[name] = _lower(extremes["min"])
        # Without one, readers take every value for possible.
        with suppress(OverflowError):
            largest[name] = _upper(extremes["max"])
    return json.dumps(
        {
            "numRecords": rows.num_rows,
            "minValues": smallest,
            "maxValues": largest,
            "nullCount": {name: rows.column(name).null_count for name in names},
        }
    )


def _lower(value: Any) -> str:
    if isinstance(value, str):
        return value[:LONGEST_STATISTIC]
    return str(value.isoformat(timespec="milliseconds").replace("+00:00", "Z"))


def _upper(value: Any) -> str:
    """Return a text that is not smaller: statistics have no microseconds, and no long texts.

    Raises:
        OverflowError: The value is within the last millisecond that there is.
    """
    if isinstance(value, str):
        cut = value[:LONGEST_STATISTIC]
        return cut if cut == value else cut + "\U0010ffff"
    return _lower(value if value.microsecond % 1000 == 0 else value + timedelta(milliseconds=1))
