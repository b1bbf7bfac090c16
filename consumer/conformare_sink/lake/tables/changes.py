"""What the commits of a table in a folder say of its rows: which files came, and which went."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import Any, NamedTuple
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.parquet as pq

from conformare_sink.errors import TableReadError, first_line
from conformare_sink.lake.store.storage import Storage
from conformare_sink.lake.tables.fenced_log import FENCE

COMMITS_AT_ONCE = 8
FILES_AT_ONCE = 4


class ChangedFiles(NamedTuple):
    """Files of a table, by their paths in its folder."""

    added: list[str]
    """They have come; among them are those of a compaction, whose rows were there before."""
    gone: list[str]
    """They are gone, and so are their rows, but for those that are in `added`."""


def commits_since(content: Callable[[int], bytes | None], version: int) -> Iterator[bytes]:
    """Return the commits of a version and of all that are newer; none where its own is gone.

    Args:
        content: Returns the file of a commit; None where it is not there.
        version: The version.
    """
    with ThreadPoolExecutor(COMMITS_AT_ONCE, "commits") as pool:
        for start in count(version, COMMITS_AT_ONCE):
            for commit in pool.map(content, range(start, start + COMMITS_AT_ONCE)):
                if commit is None:
                    return
                yield commit


def changed_files(commits: Iterable[bytes]) -> ChangedFiles | None:
    """Return what some commits, one after the other, did to a table's files; None where it is unclear.

    It is clear where rows only came; and where a sink has deleted rows, for it deletes all that have
    the same run. What somebody else has deleted may still be there in another file.

    Args:
        commits: The content of each commit's file.
    """
    is_live: dict[str, bool] = {}
    gone: set[str] = set()
    for commit in commits:
        actions = [json.loads(line) for line in commit.splitlines() if line.strip()]
        is_ours = any(one["txn"]["appId"] == FENCE for one in actions if "txn" in one)
        for removed in _of("remove", actions):
            is_live[removed["path"]] = False
            if removed.get("dataChange", True):
                gone.add(removed["path"])
                if not is_ours:
                    return None
        is_live.update((added["path"], True) for added in _of("add", actions))
        if any(
            file.get("deletionVector") for kind in ("add", "remove") for file in _of(kind, actions)
        ):
            return None  # of such a file, not all rows are there
    added_files = [path for path, there in is_live.items() if there]
    return ChangedFiles(added_files, sorted(path for path in gone if not is_live[path]))


def _of(kind: str, actions: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    return (action[kind] for action in actions if kind in action)


def read_files(
    storage: Storage, table: str, paths: Collection[str], columns: Collection[str]
) -> Iterator[pa.Table]:
    """Return some columns of a table's files, a portion for each file.

    Args:
        storage: The lake's folder.
        table: The table.
        paths: The files.
        columns: The columns.

    Raises:
        TableReadError: A file is not there, or cannot be read.
    """

    def read(path: str) -> pa.Table:
        content = storage.read(f"{table}/{unquote(path)}")
        if content is None:
            raise TableReadError(storage.root, table, f"{path} is gone")
        try:
            return pq.ParquetFile(pa.BufferReader(content)).read([*columns]).select([*columns])
        except (pa.ArrowException, KeyError, OSError) as exc:
            raise TableReadError(storage.root, table, first_line(exc)) from exc

    ordered = list(paths)
    with ThreadPoolExecutor(FILES_AT_ONCE, "files") as pool:
        for start in range(0, len(ordered), FILES_AT_ONCE):
            yield from pool.map(read, ordered[start : start + FILES_AT_ONCE])
