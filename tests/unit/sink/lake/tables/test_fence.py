"""Of several writers of a table one commits: by what the table says."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable
from support.lakes.purged_table import TAKEN_OVER, loaded, opened, run_ids, tombstone

from conformare_schemas import Column
from conformare_sink.errors import LakeBusyError


def test_of_two_that_have_loaded_a_table_the_first_to_take_it_has_it(tmp_path: Path) -> None:
    """In either order."""
    loaded(tmp_path)
    for first, second in ((0, 1), (1, 0)):
        both = [DeltaTable(tmp_path / "purged") for _ in range(2)]
        winner = opened(tmp_path, both[first])
        with pytest.raises(LakeBusyError, match=TAKEN_OVER):
            opened(tmp_path, both[second])
        winner.append(tombstone("a"))
    assert run_ids(tmp_path) == ["a", "a"]


def test_who_was_taken_over_from_commits_nothing_any_more(tmp_path: Path) -> None:
    """Whatever it tries, and however often."""
    loaded(tmp_path)
    first = opened(tmp_path)
    first.append(tombstone("a"), {"log:0": 5})
    second = opened(tmp_path)
    version = DeltaTable(tmp_path / "purged").version()
    for _ in range(2):
        for write in (
            lambda: first.append(tombstone("b")),
            lambda: first.append(tombstone("b").slice(0, 0), {"log:0": 9}),
            lambda: first.delete(pa.table({"run_id": ["a"]})),
            lambda: first.delete(pa.table({"run_id": ["not there"]})),
            lambda: first.add_columns((Column("more", "STRING", ""),)),
            first.fence,
        ):
            with pytest.raises(LakeBusyError, match=TAKEN_OVER):
                write()
    assert DeltaTable(tmp_path / "purged").version() == version
    second.append(tombstone("c"))
    with pytest.raises(LakeBusyError, match=TAKEN_OVER):
        first.compact()
    assert second.compact().compacted == 2
    assert run_ids(tmp_path) == ["a", "c"]
    assert second.read_to(["log:0"]) == {"log:0": 5}


def test_who_is_taken_over_from_just_after_its_commit_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has loaded its successor's commit then, and deltalake would let it go on."""
    loaded(tmp_path)
    first = opened(tmp_path)
    update = DeltaTable.update_incremental
    todo = ["take over"]

    def meanwhile(table: DeltaTable) -> None:
        if todo:
            todo.clear()
            opened(tmp_path)
        update(table)

    with monkeypatch.context() as patch:
        patch.setattr(DeltaTable, "update_incremental", meanwhile)
        with pytest.raises(LakeBusyError, match=TAKEN_OVER):
            first.fence()
    with pytest.raises(LakeBusyError, match=TAKEN_OVER):
        first.append(tombstone("a"))
    assert run_ids(tmp_path) == []
