"""The tables of a lake: which there are, whether the sink can write them, and what they have piled up."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from deltalake.exceptions import DeltaError

from conformare_schemas import TableDefinition
from conformare_schemas.findings import Finding
from conformare_sink.doctor.asked import SinkAsked
from conformare_sink.errors import LakeRefusedError
from conformare_sink.lake.store.storage import Storage
from conformare_sink.lake.tables.compaction import small_files
from conformare_sink.lake.tables.definition import missing_columns, require_unaltered
from conformare_sink.lake.tables.folder import find_table
from conformare_sink.lake.tables.tables import LAKE_TABLES, TABLES_AT_ONCE
from conformare_sink.lake.writer.look import Writer

PART = "lake"
UPKEEP = "maintenance"

DUE_FILES = 200
"""Small files of one table that nobody compacts: readers open each of them."""
BEHIND_FILES = 10_000
"""As many pile up beside a sink that compacts them every hour only where it does not."""


@dataclass(frozen=True)
class Look:
    """What a table of a lake is like.

    Attributes:
        name: The table.
        version: Its newest version; None where there is no such table.
        lacks: Columns that the contract has and the table does not.
        refusal: Why the sink cannot write it; None where it can.
        small_files: Files that are to be compacted.
    """

    name: str
    version: int | None
    lacks: int = 0
    refusal: str | None = None
    small_files: int = 0


def look_at_all(storage: Storage) -> list[Look]:
    """Return what each table of a lake is like.

    Raises:
        StorageError: The store refuses.
    """
    with ThreadPoolExecutor(TABLES_AT_ONCE, "doctor-tables") as pool:
        return [*pool.map(partial(_look, storage), LAKE_TABLES.values())]


def judge(tables: Sequence[Look]) -> Iterator[Finding]:
    """Yield whether the sink can write the tables of a lake."""
    for table in tables:
        if table.refusal is not None:
            yield Finding.mend(PART, table.refusal)
    there = [table for table in tables if table.version is not None]
    told = ", ".join(f"{table.name} {table.version}" for table in there)
    yield Finding.good(PART, f"{len(there)} of {len(tables)} tables, at version: {told}")
    older = [table.name for table in tables if table.version is None or table.lacks]
    if older:
        yield Finding.advice(
            PART,
            f"{', '.join(older)}: of an older release; the sink of this one adds what is missing when "
            "it starts",
        )


def judge_upkeep(
    asked: SinkAsked, tables: Sequence[Look], writer: Writer | None
) -> Iterator[Finding]:
    """Yield whether the tables of a lake are due for maintenance.

    Args:
        asked: Where the lake is.
        tables: What its tables are like.
        writer: Who writes to it.
    """
    worst = max(tables, key=lambda table: table.small_files)
    told = f"{worst.name} has most small files, {worst.small_files:,}"
    if writer is not None and writer.is_alive:
        if worst.small_files < BEHIND_FILES:
            yield Finding.good(UPKEEP, f"{told}; a running sink compacts them every hour")
        else:
            yield Finding.mend(
                UPKEEP,
                f"{told}, although the lake is being written: look for `maintenance` in the sink's "
                "log, and whether --maintain-every is off",
            )
    elif worst.small_files < DUE_FILES:
        yield Finding.good(UPKEEP, told)
    else:
        words = ["conformare", "maintain", "--lake", asked.lake or ""]
        if asked.storage.file is not None:
            words += ["--storage-options", str(asked.storage.file)]
        yield Finding.mend(UPKEEP, f"it is due: {told}: call `{shlex.join(words)}`")


def _look(storage: Storage, definition: TableDefinition) -> Look:
    found = find_table(storage, definition.name)
    if found is None:
        return Look(definition.name, None)
    try:
        refusal = None
        try:
            require_unaltered(storage.location(definition.name), definition, found)
        except LakeRefusedError as exc:
            refusal = str(exc)
        return Look(
            definition.name,
            found.version(),
            len(missing_columns(definition, found)),
            refusal,
            len(small_files(found)),
        )
    except (DeltaError, OSError) as exc:
        raise storage.fault(exc) from exc
