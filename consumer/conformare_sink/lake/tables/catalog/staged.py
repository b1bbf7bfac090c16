"""Rows of a catalog's table that lie in files, on their way into it.

Executors leave them in the lake's folder. The catalog has a say in every commit, so Spark's own Delta
reads them there and writes them again. No file ever changes: each attempt of a task finds the same.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import DataFrame, SparkSession

from conformare_schemas import TableDefinition
from conformare_sink.errors import TableReadError
from conformare_sink.lake.store.portable import PortableStorage, portable
from conformare_sink.lake.store.storage import Storage
from conformare_sink.lake.tables.data_file import DataFile

ROWS_OF_A_FILE = 1_000_000
"""A table gets so many in one file, or more: otherwise each task of a batch makes a small one."""
ROWS_AT_ONCE = 10_000


@dataclass(frozen=True)
class _Read:
    """What a task does: it reads files."""

    storage: PortableStorage
    table: str

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        storage = self.storage.open()
        for batch in batches:
            for path in batch.column("path").to_pylist():
                name = f"{self.table}/{path}"
                content = storage.read(name)
                if content is None:
                    raise TableReadError(storage.location(self.table), path, "it is gone")
                yield from pq.read_table(pa.BufferReader(content)).to_batches(ROWS_AT_ONCE)


def staged_rows(
    spark: SparkSession,
    storage: Storage,
    definition: TableDefinition,
    files: Collection[DataFile],
) -> DataFrame:
    """Return the rows of files that lie in the lake's folder.

    Args:
        spark: The session, whose executors read them.
        storage: The lake's folder.
        definition: The table whose rows they are.
        files: The files.
    """
    n_parts = math.ceil(sum(file.n_rows for file in files) / ROWS_OF_A_FILE)
    paths = spark.createDataFrame([(file.path,) for file in files], "path string")
    read = _Read(portable(storage), definition.name)
    return paths.repartition(max(1, n_parts)).mapInArrow(read, definition.schema_ddl)


def remove_staged(storage: Storage, table: str) -> None:
    """Delete the files that lie in the lake's folder for a table: those of lost attempts, too."""
    for name in storage.names(table):
        storage.remove(f"{table}/{name}")
