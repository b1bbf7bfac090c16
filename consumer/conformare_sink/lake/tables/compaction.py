"""The files of a table that is a folder: small ones are compacted, needless ones deleted.

Compacting sorts rows by what readers look them up by, so that a file holds few pipelines over a short
time. deltalake's own compaction is not used: of two that meet, both are committed (1.6.6), and every
row is there twice. Its z-order would write the whole table again each time; here only files that are
not full yet are read.

How much memory a file's rows take, its size does not tell: what repeats is packed a hundredfold. So
files are read one by one until that many rows are there, and a file that is made of these is full.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError

from conformare_schemas import TableDefinition
from conformare_sink.errors import RetentionTooShortError, TableWriteError, first_line
from conformare_sink.lake.layout import LOG
from conformare_sink.lake.store.storage import Storage
from conformare_sink.lake.tables.data_file import DataFile, new_path, write_file
from conformare_sink.lake.tables.definition import DELETION_VECTORS, MAPPED_FEATURES, table_features
from conformare_sink.lake.tables.tables import Cleaned

FULL_BYTES = 64 * 1024 * 1024
"""A file that has as many is left alone."""
UNPACKED_BYTES = 64 * 1024 * 1024
"""Rows that are in memory at once; sorted and packed, they take several times that."""
FULL_FILES = "full-"
"""Begins the name of a file that has that many, however small it is; it is left alone, too."""


@dataclass
class _Batch:
    """Files that are compacted by one commit, into one."""

    rows: list[pa.Table] = field(default_factory=list)
    files: dict[str, int] = field(default_factory=dict)
    """Path and size of each."""
    unpacked: int = 0
    is_full: bool = False

    def add(self, path: str, size: int, rows: pa.Table) -> None:
        """Add a file."""
        self.files[path] = size
        self.rows.append(rows)
        self.unpacked += rows.nbytes


@dataclass(frozen=True)
class Replacement:
    """A file that has the rows of several others, and is to take their place."""

    added: DataFile
    files: Mapping[str, int]
    """Path and size of each of the others."""


def replacements(
    storage: Storage, definition: TableDefinition, table: DeltaTable
) -> Iterator[Replacement]:
    """Return what takes the place of small files; each is written, and not yet committed.

    A table is left alone if the rows of its files are not what the files alone say.

    Args:
        storage: The lake's folder.
        definition: What the table is.
        table: The table, newly loaded.

    Raises:
        TableWriteError: A file could not be read or written.
    """
    if table_features(table) & MAPPED_FEATURES:
        return
    try:
        for batch in _batches(storage, definition.name, table):
            yield Replacement(_write(storage, definition, batch), batch.files)
    except (DeltaError, OSError, pa.ArrowException) as exc:
        raise TableWriteError(storage.location(definition.name), first_line(exc)) from exc


def clean(
    storage: Storage, definition: TableDefinition, table: DeltaTable, retention_hours: int
) -> Cleaned:
    """Delete files that no version within the retention needs, and old files of the log.

    Args:
        storage: The lake's folder.
        definition: What the table is.
        table: The table, newly loaded.
        retention_hours: How long files stay that the newest version does not need.

    Raises:
        RetentionTooShortError: Delta keeps files for longer.
        TableWriteError: They could not be deleted.
    """
    log = f"{definition.name}/{LOG}"
    try:
        # Full: also files of appends whose commit never came. deltalake takes vectors for those, too.
        full = DELETION_VECTORS not in table_features(table)
        deleted = table.vacuum(retention_hours, dry_run=False, full=full)
        before = set(storage.names(log))
        table.create_checkpoint()
        table.cleanup_metadata()
    except (DeltaError, OSError) as exc:
        if "retention" in str(exc).lower():
            raise RetentionTooShortError(definition.name, retention_hours) from exc
        raise TableWriteError(storage.location(definition.name), first_line(exc)) from exc
    return Cleaned(len(deleted), len(before.difference(storage.names(log))))


def _batches(storage: Storage, name: str, table: DeltaTable) -> Iterator[_Batch]:
    """Return what is compacted together, one after the other: files of about the same time."""
    schema = pa.schema(table.schema().to_arrow())
    batch = _Batch()
    for path, size in small_files(table).items():
        rows = _read(storage, f"{name}/{unquote(path)}", schema)
        if rows is None:
            continue  # it alone is more than fits
        if batch.unpacked + rows.nbytes > UNPACKED_BYTES:
            batch.is_full = True
            yield batch
            batch = _Batch()
        batch.add(path, size, rows)
    if len(batch.files) > 1:  # one alone is compact
        yield batch


def small_files(table: DeltaTable) -> Mapping[str, int]:
    """Return files that are not full, with their sizes, the oldest first."""
    actions = pa.table(table.get_add_actions(flatten=True)).sort_by("modification_time")
    names = ("path", "size_bytes")
    paths, sizes = (actions.column(name).to_pylist() for name in names)
    return {
        path: size
        for path, size in zip(paths, sizes, strict=True)
        if size < FULL_BYTES and not path.startswith(FULL_FILES)
    }


def _read(storage: Storage, path: str, schema: pa.Schema) -> pa.Table | None:
    """Return the rows of a file; None where they are more than fits into memory."""
    content = storage.read(path)
    if content is None:
        raise FileNotFoundError(f"{path} is not there")
    parts = []
    unpacked = 0
    for part in pq.ParquetFile(pa.BufferReader(content)).iter_batches():
        unpacked += part.nbytes
        if unpacked > UNPACKED_BYTES:
            return None
        parts.append(_fitted(part, schema))
    return pa.Table.from_batches(parts, schema)


def _fitted(rows: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """Return a file's rows as the table has them: columns may be new, and texts other texts."""
    columns = [
        rows.column(field.name).cast(field.type)
        if field.name in rows.schema.names
        else pa.nulls(rows.num_rows, field.type)
        for field in schema
    ]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def _write(storage: Storage, definition: TableDefinition, batch: _Batch) -> DataFile:
    order = definition.clustering or definition.skipping
    rows = pa.concat_tables(batch.rows).sort_by([(name, "ascending") for name in order])
    batch.rows.clear()  # they are there twice now
    path = new_path(FULL_FILES if batch.is_full else "")
    return write_file(storage, definition, path, rows)
