"""The files of a table that is a folder: small ones are compacted, needless ones deleted.

Compacting sorts rows by what readers look them up by, so that a file holds few pipelines over a short
time. deltalake's own z-order would write the whole table again each time; here only files that are
not full yet are read, and one commit puts others in their place, which changes no rows.
"""

from __future__ import annotations

import math
import time
from urllib.parse import unquote
from uuid import uuid4

import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError
from deltalake.transaction import AddAction, RemoveAction

from conformare_schemas import TableDefinition
from conformare_sink.errors import RetentionTooShortError, TableWriteError, first_line
from conformare_sink.lake.layout import LOG
from conformare_sink.lake.store.storage import Storage
from conformare_sink.lake.tables.data_file import parquet, statistics
from conformare_sink.lake.tables.definition import REWRITTEN_BY_DELTALAKE, table_features
from conformare_sink.lake.tables.tables import Cleaned, Compacted

FULL_BYTES = 64 * 1024 * 1024
"""A file that has as many is left alone."""
MOST_BYTES = 256 * 1024 * 1024
"""So much is compacted at once: it is in memory, unpacked."""


def compact(storage: Storage, definition: TableDefinition, table: DeltaTable) -> Compacted:
    """Compact the files of a table that are not full yet.

    Args:
        storage: The lake's folder.
        definition: What the table is.
        table: The table, newly loaded.

    Raises:
        TableWriteError: Somebody has changed the same files meanwhile.
    """
    if table_features(table) & REWRITTEN_BY_DELTALAKE:
        return _compact_in_order(storage, definition, table)
    small = _small_files(table)
    if len(small) < 2:  # noqa: PLR2004 - one alone is compact
        return Compacted()
    try:
        rows = _read(storage, definition.name, small)
        n_files = max(1, math.ceil(sum(small.values()) / FULL_BYTES))
        n_rows = max(1, math.ceil(rows.num_rows / n_files))
        order = definition.clustering or definition.skipping
        rows = rows.sort_by([(name, "ascending") for name in order])
        parts = [rows.slice(start, n_rows) for start in range(0, rows.num_rows, n_rows)]
        added = [_write(storage, definition, part) for part in parts]
        gone = [_removed(path, size) for path, size in small.items()]
        table.create_write_transaction([*added, *gone], "append", table.schema())
    except (DeltaError, OSError, pa.ArrowException) as exc:
        raise TableWriteError(storage.location(definition.name), first_line(exc)) from exc
    return Compacted(len(small), len(added))


def _compact_in_order(
    storage: Storage, definition: TableDefinition, table: DeltaTable
) -> Compacted:
    """Compact files in the order in which they came, which only deltalake can read."""
    try:
        told = table.optimize.compact(target_size=FULL_BYTES)
    except (DeltaError, OSError) as exc:
        raise TableWriteError(storage.location(definition.name), first_line(exc)) from exc
    return Compacted(told["numFilesRemoved"], told["numFilesAdded"])


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
        # Full: also files of appends whose commit never came.
        deleted = table.vacuum(retention_hours, dry_run=False, full=True)
        before = set(storage.names(log))
        table.create_checkpoint()
        table.cleanup_metadata()
    except (DeltaError, OSError) as exc:
        if "retention" in str(exc).lower():
            raise RetentionTooShortError(definition.name, retention_hours) from exc
        raise TableWriteError(storage.location(definition.name), first_line(exc)) from exc
    return Cleaned(len(deleted), len(before.difference(storage.names(log))))


def _small_files(table: DeltaTable) -> dict[str, int]:
    """Return files that are not full, with their bytes, as many as are compacted at once."""
    actions = pa.table(table.get_add_actions(flatten=True))
    small: dict[str, int] = {}
    total = 0
    for path, size in zip(
        actions.column("path").to_pylist(), actions.column("size_bytes").to_pylist(), strict=True
    ):
        if size < FULL_BYTES and total + size <= MOST_BYTES:
            small[path] = size
            total += size
    return small


def _read(storage: Storage, name: str, files: dict[str, int]) -> pa.Table:
    tables = []
    for path in files:
        content = storage.read(f"{name}/{unquote(path)}")
        if content is None:
            raise FileNotFoundError(f"{path} is not there")
        tables.append(pq.read_table(pa.BufferReader(content)))
    return pa.concat_tables(tables, promote_options="default")


def _write(storage: Storage, definition: TableDefinition, rows: pa.Table) -> AddAction:
    path = f"{uuid4()}.parquet"
    content = parquet(rows)
    storage.write(f"{definition.name}/{path}", content)
    told = statistics(rows, definition.skipping)
    return AddAction(path, len(content), {}, _now(), data_change=False, stats=told)


def _removed(path: str, size: int) -> RemoveAction:
    return RemoveAction(path=path, deletion_timestamp=_now(), data_change=False, size=size)


def _now() -> int:
    return int(time.time() * 1000)
