"""The tables of a lake: which there are, whether the sink can write them, and what they have piled up."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from deltalake.exceptions import DeltaError

from conformare_schemas import RELEASED_SCHEMAS, TableDefinition
from conformare_schemas.findings import Finding
from conformare_sink.doctor.asked import SinkAsked
from conformare_sink.doctor.names import named
from conformare_sink.errors import LakeRefusedError, StorageError
from conformare_sink.lake.layout import LOG
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
LANDED = 2
"""The version of `runs` from which on something has landed: it is made by one or two commits."""
_WHAT_TO_DO = ". If it is damaged, restore its folder from a backup; if a newer release wrote it, upgrade this one"
BEHIND_FILES = 10_000
"""As many pile up beside a sink that compacts them every hour only where it does not."""


@dataclass(frozen=True)
class Look:
    """What a table of a lake is like.

    Attributes:
        name: The table.
        version: Its newest version; None where there is no such table.
        lacks: Columns that the contract has and the table does not.
        refusal: Why the sink cannot write it, and what to do; None where it can.
        small_files: Files that are to be compacted.
        is_readable: Whether it can be read.
    """

    name: str
    version: int | None
    lacks: int = 0
    refusal: str | None = None
    small_files: int = 0
    is_readable: bool = True

    @property
    def is_there(self) -> bool:
        """Whether there is such a table, whatever is wrong with it."""
        return self.version is not None or not self.is_readable


def look_at_all(storage: Storage) -> list[Look]:
    """Return what each table of a lake is like."""
    with ThreadPoolExecutor(TABLES_AT_ONCE, "doctor-tables") as pool:
        return [*pool.map(partial(_look, storage), LAKE_TABLES.values())]


def judge(tables: Sequence[Look]) -> Iterator[Finding]:
    """Yield whether the sink can write the tables of a lake."""
    refusals: dict[str, list[str]] = {}
    for table in tables:
        if table.refusal is not None:
            refusals.setdefault(table.refusal, []).append(table.name)
    for refusal, names in refusals.items():
        yield Finding.mend(PART, f"{named(names)}: {refusal}")
    deleted = _deleted(tables)
    if deleted:
        yield Finding.mend(
            PART,
            f"{named(deleted)}: the table is not there although runs have landed, so somebody has "
            "deleted it. Restore it from a backup before the sink starts, which makes an empty one",
        )
    there = [table for table in tables if table.version is not None]
    told = ", ".join(f"{table.name} {table.version}" for table in there)
    yield Finding.good(PART, f"{len(there)} of {len(tables)} tables, at version: {told}")
    older = [
        table.name
        for table in tables
        if table.lacks or (not table.is_there and table.name not in deleted)
    ]
    if older:
        yield Finding.advice(
            PART,
            f"{', '.join(older)}: of an older release; the sink of this one adds what is missing when "
            "it starts",
        )


def _deleted(tables: Sequence[Look]) -> list[str]:
    """Return the tables that every release has made, and that are gone from a lake with runs."""
    has_runs = any(table.name == "runs" and (table.version or 0) >= LANDED for table in tables)
    return [
        table.name
        for table in tables
        if has_runs and not table.is_there and (table.name, 1) in RELEASED_SCHEMAS
    ]


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
    name = definition.name
    try:
        found = find_table(storage, name)
        if found is None:
            return Look(name, None)
        refusal = None
        try:
            require_unaltered(storage.location(name), definition, found)
        except LakeRefusedError as exc:
            refusal = str(exc)
        if storage.local is not None and not _is_writable(storage.local / name):
            refusal = f"this user may not write it: let it write {storage.location(name)}"
        lacks = len(missing_columns(definition, found))
        return Look(name, found.version(), lacks, refusal, len(small_files(found)))
    except (StorageError, DeltaError, OSError) as exc:
        told = str(exc) if isinstance(exc, StorageError) else str(storage.fault(exc))
        return Look(name, None, refusal=f"{told}{_WHAT_TO_DO}", is_readable=False)


def _is_writable(table: Path) -> bool:
    return all(
        os.access(folder, os.W_OK | os.X_OK, effective_ids=True) for folder in (table, table / LOG)
    )
