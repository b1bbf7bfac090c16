"""What Delta's log says of a table: which files it has, and transactions of applications.

Delta's protocol, "Actions"; transactions are there as "Transaction Identifiers".
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import unquote

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, PostCommitHookProperties
from deltalake.transaction import AddAction, RemoveAction

from conformare_sink.lake.tables.data_file import DataFile

HOOKS = PostCommitHookProperties(create_checkpoint=True, cleanup_expired_logs=False)
"""Maintenance deletes old files of the log; a batch should not wait for that."""

LOOK_BACK = 10
"""Commits that are looked at first: nearly always, the newest says all.

deltalake reads every commit since the last checkpoint, for each application anew.
"""
_AT_ONCE = 8

Action = AddAction | RemoveAction


def added(files: Iterable[DataFile], *, changes_data: bool = True) -> list[Action]:
    """Return what the log has to say of new files.

    Args:
        files: The files, which are there already.
        changes_data: Whether the table has other rows by them.
    """
    return [
        AddAction(file.path, file.size, {}, _now(), data_change=changes_data, stats=file.statistics)
        for file in files
    ]


def removed(sizes: Mapping[str, int], *, changes_data: bool = True) -> list[Action]:
    """Return what the log has to say of files that are no longer a part of the table.

    Args:
        sizes: The name of each, and its size in bytes.
        changes_data: Whether the table has other rows without them.
    """
    return [
        RemoveAction(path=path, deletion_timestamp=_now(), data_change=changes_data, size=size)
        for path, size in sizes.items()
    ]


def commit_actions(
    table: DeltaTable, actions: list[Action], properties: CommitProperties
) -> dict[str, Any]:
    """Commit actions, all at once; deltalake has nothing to tell of it."""
    table.create_write_transaction(
        actions,
        "append",
        table.schema(),
        commit_properties=properties,
        post_commithook_properties=HOOKS,
    )
    table.update_incremental()
    return {}


def live_files(table: DeltaTable) -> dict[str, int]:
    """Return the files that are the table now, by name, with their sizes in bytes."""
    actions = pa.table(table.get_add_actions(flatten=True))
    names = ("path", "size_bytes")
    return dict(zip(*(actions.column(name).to_pylist() for name in names), strict=True))


def added_by(commit: bytes) -> set[str]:
    """Return the files that a commit adds.

    Args:
        commit: Its file.
    """
    return {unquote(one["path"]) for one in _told(commit, "add")}


def newest_transactions(
    table: DeltaTable, content: Callable[[int], bytes | None], apps: Iterable[str]
) -> dict[str, int]:
    """Return the newest version of some applications, of those that have committed any.

    Args:
        table: The table, loaded.
        content: Returns the file of a commit; None where it is no more.
        apps: The applications.
    """
    missing = set(apps)
    found: dict[str, int] = {}
    for version in range(table.version(), table.version() - LOOK_BACK, -1):
        if not missing or version < 0:
            return found
        commit = content(version)
        if commit is None:
            break  # it was cleaned away; a checkpoint has it
        for app, number in _transactions(commit):
            if app in missing:
                missing.discard(app)
                found[app] = number
    if missing:
        ordered = sorted(missing)
        with ThreadPoolExecutor(min(_AT_ONCE, len(ordered)), "transactions") as pool:
            numbers = pool.map(table.transaction_version, ordered)
            found.update({a: n for a, n in zip(ordered, numbers, strict=True) if n is not None})
    return found


def _transactions(commit: bytes) -> list[tuple[str, int]]:
    """Return the transactions of a commit."""
    return [(one["appId"], one["version"]) for one in _told(commit, "txn")]


def _told(commit: bytes, action: str) -> Iterator[dict[str, Any]]:
    """Return the actions of a kind in a commit, whose file has a line for each."""
    for line in commit.splitlines():
        if line.startswith(f'{{"{action}"'.encode()):
            yield json.loads(line)[action]


def _now() -> int:
    return int(time.time() * 1000)
