"""A file of rows in a table's folder: its content, and what Delta's log says of it.

Whoever writes one needs the lake's store and nothing of Delta: only its commit makes it a part of
the table.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from conformare_schemas import TableDefinition
from conformare_sink.lake.store.storage import Storage

LONGEST_STATISTIC = 64
"""Characters; longer texts are cut in the statistics, as Delta's own writers do."""


_FIRST_TIME = -62_135_596_800_000_000
"""The first moment of the year 1, in microseconds since 1970."""

ROW_GROUP_BYTES = 16 * 1024 * 1024
"""Unpacked. Readers take thousands of rows of a row group at once, however large they are."""


@dataclass(frozen=True)
class DataFile:
    """A file that was written, and is not committed yet."""

    table: str
    """The table in whose folder it is."""
    path: str
    """Its name there."""
    size: int
    """In bytes."""
    n_rows: int
    statistics: str
    """As Delta's log holds them."""


def new_path(prefix: str = "") -> str:
    """Return a name that no other file has."""
    return f"{prefix}{uuid4()}.parquet"


def write_file(
    storage: Storage, definition: TableDefinition, path: str, rows: pa.Table
) -> DataFile:
    """Write rows as a file in a table's folder.

    Args:
        storage: The lake's folder.
        definition: What the table is.
        path: The file's name, from `new_path`.
        rows: The rows, with the table's columns.

    Raises:
        StorageError: The store refuses.
    """
    content = parquet(rows)
    storage.write(f"{definition.name}/{path}", content)
    told = statistics(rows, definition.skipping)
    return DataFile(definition.name, path, len(content), rows.num_rows, told)


def parquet(rows: pa.Table) -> memoryview:
    """Return rows as the content of a file."""
    sink = pa.BufferOutputStream()
    n_groups = rows.nbytes // ROW_GROUP_BYTES + 1
    pq.write_table(rows, sink, compression="snappy", row_group_size=rows.num_rows // n_groups + 1)
    return memoryview(sink.getvalue()).cast("B")


def statistics(rows: pa.Table, names: tuple[str, ...]) -> str:
    """Return a file's statistics as Delta's log holds them."""
    smallest: dict[str, str] = {}
    largest: dict[str, str] = {}
    for name in names:
        extremes = pc.min_max(_tellable(rows.column(name))).as_py()
        if extremes["min"] is None:
            continue  # there are nothing but nulls
        smallest[name] = _lower(extremes["min"])
        largest[name] = _upper(extremes["max"])
    return json.dumps(
        {
            "numRecords": rows.num_rows,
            "minValues": smallest,
            "maxValues": largest,
            "nullCount": {name: rows.column(name).null_count for name in names},
        },
        # deltalake 1.6.6 reads another character where one is escaped as two.
        ensure_ascii=False,
    )


def _tellable(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a column with no times before the year 1: no calendar tells them."""
    if not pa.types.is_timestamp(column.type):
        return column
    return pc.max_element_wise(column.cast(pa.int64()), _FIRST_TIME, skip_nulls=False).cast(
        column.type
    )


def _lower(value: Any) -> str:
    return value[:LONGEST_STATISTIC] if isinstance(value, str) else _moment(value, "milliseconds")


def _upper(value: Any) -> str:
    """Return a text that is not smaller: statistics have no microseconds, and no long texts.

    There always is one: where it is missing, deltalake's readers find no row at all (1.6.6).
    """
    if isinstance(value, str):
        cut = value[:LONGEST_STATISTIC]
        upper = cut if cut == value else cut + chr(sys.maxunicode)
        return max(upper, value)  # what is cut off may begin with the last letter that there is
    if value.microsecond % 1000 == 0:
        return _moment(value, "milliseconds")
    try:
        return _moment(value + timedelta(milliseconds=1), "milliseconds")
    except OverflowError:  # it is in the last millisecond that there is
        return _moment(value, "microseconds")


def _moment(value: datetime, precision: str) -> str:
    return value.isoformat(timespec=precision).replace("+00:00", "Z")
