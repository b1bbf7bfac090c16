"""All rows of a table of the lake come into this process, in portions.

Of a lake on this machine's disks they are read by delta-rs: a sink that starts would otherwise wait
ten seconds for the first queries of a Java that has just started.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa
from deltalake import DeltaTable, QueryBuilder
from deltalake.exceptions import DeltaError

from conformare_schemas import table_path
from conformare_sink.lake.digests import DigestSet
from conformare_sink.lake.folder import Folder
from conformare_sink.lake.tables import LakeTables
from conformare_sink.spark.by_key import by_key

ROWS_AT_ONCE = 1_000_000


@dataclass(frozen=True)
class Columns:
    """What is read of each row, in the two dialects of SQL.

    Args:
        key: The one of them by which Spark deals rows into portions.
        spark: In that of Spark.
        delta_rs: In that of delta-rs, which is DataFusion's.
    """

    key: str
    spark: Sequence[str]
    delta_rs: Sequence[str]

    @classmethod
    def named(cls, key: str, *others: str) -> Columns:
        """Return columns of the table; lower case, and no words of SQL but `offset`."""
        return cls(key, (key, *others), [f'"{name}"' for name in (key, *others)])


RUN_DIGEST = Columns(
    "digest",
    ("unhex(md5(concat(cast(length(run_id) AS STRING), ':', run_id, pipeline))) AS digest",),
    ("digest(concat(character_length(run_id), ':', run_id, pipeline), 'md5') AS digest",),
)
"""`run_digest` of the row's run."""

PLACE_DIGEST = Columns(
    "digest",
    ("unhex(md5(concat_ws(':', unix_micros(timestamp), partition, offset, topic))) AS digest",),
    (
        """digest(
          concat_ws(':', arrow_cast(timestamp, 'Int64'), "partition", "offset", topic), 'md5'
        ) AS digest""",
    ),
)
"""`place_digest` of the place that the row's message has in Kafka."""


def read_digests(tables: LakeTables, table: str, columns: Columns) -> DigestSet:
    """Return the digests of all rows of a table.

    Args:
        tables: The lake's tables.
        table: Which of them.
        columns: What the digest of a row is.
    """
    digests = DigestSet()
    for portion in scan(tables, table, columns):
        digests.add_column(portion.column("digest"))
    return digests


def scan(tables: LakeTables, table: str, columns: Columns) -> Iterator[pa.Table]:
    """Read all rows of a table; no two portions share a key where Spark has read them.

    Args:
        tables: The lake's tables.
        table: Which of them.
        columns: What of it.
    """
    root = Folder(tables.spark, tables.root).local
    if root is not None and tables.catalog is None:
        try:
            found = QueryBuilder().register("scanned", DeltaTable(table_path(str(root), table)))
            select = f"SELECT {', '.join(columns.delta_rs)} FROM scanned"  # noqa: S608 - our own
            batches = pa.RecordBatchReader.from_stream(found.execute(select))
        except DeltaError:
            pass  # somebody has given the table a feature that delta-rs does not know
        else:
            yield from _in_portions(batches)
            return
    yield from by_key(tables.read(table).selectExpr(*columns.spark), columns.key)


def _in_portions(batches: pa.RecordBatchReader) -> Iterator[pa.Table]:
    waiting: list[pa.RecordBatch] = []
    for batch in batches:
        waiting.append(batch)
        if sum(one.num_rows for one in waiting) >= ROWS_AT_ONCE:
            yield pa.Table.from_batches(waiting)
            waiting = []
    yield pa.Table.from_batches(waiting, batches.schema)
