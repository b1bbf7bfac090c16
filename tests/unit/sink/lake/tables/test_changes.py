"""What the commits of a table's log say of its rows."""

from __future__ import annotations

import json
from typing import Any

import pytest

from conformare_sink.lake.tables.changes import ChangedFiles, changed_files, commits_since
from conformare_sink.lake.tables.fenced_log import FENCE

OURS = {"txn": {"appId": FENCE, "version": 3}}
DELETION_VECTOR = {"deletionVector": {"storageType": "u"}}


def add(path: str, **more: Any) -> dict[str, Any]:
    """A file comes."""
    return {"add": {"path": path, "dataChange": True, **more}}


def remove(path: str, **more: Any) -> dict[str, Any]:
    """A file goes."""
    return {"remove": {"path": path, "dataChange": True, **more}}


def compacted(path: str, *paths: str) -> list[dict[str, Any]]:
    """A file comes in place of others."""
    gone = [remove(one, dataChange=False) for one in paths]
    return [add(path, dataChange=False), *gone]


@pytest.mark.parametrize(
    ("commits", "expected"),
    [
        ([], ([], [])),
        ([[add("a")], [OURS, add("b")], [{"commitInfo": {}}, {"metaData": {}}]], (["a", "b"], [])),
        # Of rows that only came, those files count that are there in the end.
        ([[add("a")], [add("b")], compacted("c", "a", "b", "old")], (["c"], [])),
        # What a sink has deleted: also of a file that came and went meanwhile.
        ([[OURS, remove("old"), add("new")]], (["new"], ["old"])),
        ([[OURS, remove("old")], [OURS, add("a")]], (["a"], ["old"])),
        ([[add("a")], compacted("b", "a"), [OURS, remove("b"), add("c")]], (["c"], ["b"])),
        ([[OURS, remove("a"), add("b")], [add("a")]], (["a", "b"], [])),
        # What others have deleted may be there in another file.
        ([[remove("old")]], None),
        ([[OURS, remove("a")], [remove("old"), add("new")]], None),
        ([[{"remove": {"path": "said to change nothing by nobody"}}]], None),
        # The rows of such a file are not what the file alone says.
        ([[OURS, remove("old"), add("old", **DELETION_VECTOR)]], None),
        ([[OURS, remove("old", **DELETION_VECTOR), add("new")]], None),
    ],
)
def test_files_that_came_and_went(
    commits: list[list[dict[str, Any]]], expected: tuple[list[str], list[str]] | None
) -> None:
    """None where nobody can tell."""
    contents = ["\n".join(map(json.dumps, actions)).encode() for actions in commits]
    found = changed_files(contents)
    assert found == (None if expected is None else ChangedFiles(*expected))


@pytest.mark.parametrize("n_commits", [0, 1, 7, 8, 9, 20])
def test_commits_are_read_to_the_newest(n_commits: int) -> None:
    """However many are asked for at once."""
    log = {version: b"%d" % version for version in range(5, 5 + n_commits)}
    assert [*commits_since(log.get, 5)] == [*log.values()]
    assert [*commits_since(log.get, 4)] == []
