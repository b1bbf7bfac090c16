"""Have rows gone from tables since somebody has looked? Whoever trusts that they are there, asks."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from deltalake import DeltaTable
from deltalake.exceptions import DeltaError, TableNotFoundError
from pydantic import BaseModel, ConfigDict

from conformare_schemas import SOURCE_RISKS
from conformare_sink.lake.layout import commit_file
from conformare_sink.lake.store.storage import Storage
from conformare_sink.lake.tables.folder import FolderTables
from conformare_sink.lake.tables.own import PURGED, QUARANTINE
from conformare_sink.lake.tables.tables import LakeTables

WATCHED = ("runs", SOURCE_RISKS, QUARANTINE.name, PURGED.name)
"""Each has something for which a message that was read means nothing any more."""

MOST_COMMITS = 10_000
"""Of one table; more are not looked at."""

_AT_ONCE = 16


class Mark(BaseModel):
    """A version of a table."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    table_id: str
    version: int
    commit: str
    """Digest of its commit: after an old copy of a lake was put back, another has its number."""


Marks = Mapping[str, Mark]
"""Table → a version of it."""


def marks_of(tables: LakeTables) -> Marks | None:
    """Return the newest versions of the tables; None for those of a catalog, which are not watched.

    Args:
        tables: The lake's tables.

    Raises:
        StorageError: The store refuses.
    """
    if not isinstance(tables, FolderTables):
        return None
    with ThreadPoolExecutor(len(WATCHED), "marks") as pool:
        found = list(pool.map(lambda name: _mark(tables.storage, name), WATCHED))
    return {name: mark for name, mark in zip(WATCHED, found, strict=True) if mark is not None}


def marks_if_complete(tables: LakeTables, before: Marks) -> Marks | None:
    """Return the newest versions of the tables; None where rows have gone, or nobody can tell.

    Args:
        tables: The lake's tables.
        before: Versions that somebody has noted, of these tables or of others.

    Raises:
        StorageError: The store refuses.
    """
    marks = marks_of(tables)
    if marks is None or marks.keys() != before.keys():
        return None
    for name, mark in marks.items():
        noted = before[name]
        versions = range(noted.version + 1, mark.version + 1)
        if (
            mark.table_id != noted.table_id
            or _digest(tables.storage.read(commit_file(name, noted.version))) != noted.commit
            or len(versions) > MOST_COMMITS
        ):
            return None
        with ThreadPoolExecutor(_AT_ONCE, "removals") as pool:
            files = [commit_file(name, version) for version in versions]
            if any(map(_removes, pool.map(tables.storage.read, files))):
                return None
    return marks


def marks_from(tables: LakeTables, before: Marks) -> Marks | None:
    """Return the newest versions of the tables; None where rows have gone.

    No table is loaded for that, which takes longer the larger it is.

    Args:
        tables: The lake's tables, held by this process since the versions before.
        before: Versions from a moment ago.

    Raises:
        StorageError: The store refuses.
    """
    marks = {}
    for name, newest in before.items():
        mark = newest
        while (commit := tables.storage.read(commit_file(name, mark.version + 1))) is not None:
            if _removes(commit):
                return None
            version = mark.version + 1
            mark = Mark(table_id=mark.table_id, version=version, commit=_digest(commit))
        marks[name] = mark
    return marks


def _mark(storage: Storage, name: str) -> Mark | None:
    try:
        table = DeltaTable(storage.table_uri(name), storage_options=storage.options or None)
        table_id, version = str(table.metadata().id), table.version()
    except TableNotFoundError:
        return None
    except (DeltaError, OSError) as exc:
        raise storage.fault(exc) from exc
    commit = storage.read(commit_file(name, version))
    return Mark(table_id=table_id, version=version, commit=_digest(commit))


def _digest(commit: bytes | None) -> str:
    """Return what a commit is known by; one that was cleaned away, by nothing."""
    return "" if commit is None else hashlib.sha256(commit).hexdigest()[:16]


def _removes(commit: bytes | None) -> bool:
    """Return whether a commit removes rows, or may have: one that was cleaned away."""
    if commit is None:
        return True
    lines = (line for line in commit.splitlines() if line.startswith(b'{"remove"'))
    return any(b'"dataChange":true' in line for line in lines)
