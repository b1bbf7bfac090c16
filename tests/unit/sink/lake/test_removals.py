"""Rows that have gone from a table are noticed, whoever deleted them; all else is no removal."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from deltalake import DeltaTable
from support.lakes.landed import land, run_of, tables_in
from support.messages.records import make_record

from conformare_sink.lake import removals
from conformare_sink.lake.lake import open_for_writing
from conformare_sink.lake.landings import run_keys
from conformare_sink.lake.purge import Purge
from conformare_sink.lake.removals import marks_from, marks_if_complete, marks_of
from conformare_sink.lake.tables.folder import FolderTables

RECORDS = [make_record(f"run-{n}") for n in range(4)]


@pytest.fixture
def tables(tmp_path: Path) -> FolderTables:
    """Those of a lake that has two runs."""
    made = tables_in(tmp_path / "lake")
    with open_for_writing(made, "a test") as lake:
        land(lake, *RECORDS[:2])
    return made


def marks(tables: FolderTables) -> removals.Marks:
    """The newest versions."""
    found = marks_of(tables)
    assert found is not None
    assert found.keys() == set(removals.WATCHED)
    return found


def delete_runs(tables: FolderTables) -> None:
    """As somebody does by hand."""
    DeltaTable(tables.storage.table_uri("runs")).delete("run_id = 'run-0'")


def test_appends_and_compaction_remove_nothing(tables: FolderTables) -> None:
    """Neither does opening a lake, which commits to each table."""
    before = marks(tables)
    with open_for_writing(tables, "a test") as lake:
        land(lake, *RECORDS[2:])
        DeltaTable(tables.storage.table_uri("runs")).optimize.compact()
        land(lake, make_record("one more"))
        assert lake.compact("runs") == (2, 1)
        assert lake.delete("runs", run_keys([run_of(make_record("another"))])) == 0
    now = marks_if_complete(tables, before)
    assert now == marks_from(tables, before) == marks(tables)
    assert now is not None
    assert now["runs"].version > before["runs"].version


@pytest.mark.parametrize("then", ["nothing", "an append"])
def test_a_run_that_was_deleted_has_gone(tables: FolderTables, then: str) -> None:
    """Also where others have come since."""
    before = marks(tables)
    delete_runs(tables)
    if then == "an append":
        with open_for_writing(tables, "a test") as lake:
            land(lake, RECORDS[2])
    assert marks_if_complete(tables, before) is None
    assert marks_from(tables, before) is None
    assert marks_if_complete(tables, marks(tables)) is not None


def test_a_purge_and_what_undoes_it_are_removals(tables: FolderTables) -> None:
    """The one from `runs`, the other from `purged`."""
    before = marks(tables)
    with open_for_writing(tables, "a test") as lake:
        lake.purge(Purge(run_ids=("run-1",)))
    assert marks_if_complete(tables, before) is None
    before = marks(tables)
    DeltaTable(tables.storage.table_uri("purged")).delete()
    assert marks_if_complete(tables, before) is None


def test_a_table_that_was_restored_made_again_or_is_gone_has_lost_rows(
    tables: FolderTables, tmp_path: Path
) -> None:
    """And one whose log says no more what happened."""
    before = marks(tables)
    DeltaTable(tables.storage.table_uri("runs")).restore(1)
    assert marks_if_complete(tables, before) is None

    other = tables_in(tmp_path / "other")
    with open_for_writing(other, "a test"):
        assert marks_if_complete(other, before) is None
    assert marks_of(tables_in(tmp_path / "nowhere")) == {}
    assert marks_if_complete(tables_in(tmp_path / "nowhere"), before) is None

    before = marks(tables)
    with open_for_writing(tables, "a test"):
        pass
    log = tmp_path / "lake" / "runs" / "_delta_log"
    newest = marks(tables)["runs"].version
    assert marks_if_complete(tables, before) is not None
    DeltaTable(tables.storage.table_uri("runs")).create_checkpoint()
    (log / f"{newest:020d}.json").unlink()
    assert marks_if_complete(tables, before) is None


def test_very_many_commits_are_not_read(
    tables: FolderTables, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And neither is a version that has not come yet taken for one that has."""
    before = marks(tables)
    with open_for_writing(tables, "a test") as lake:
        land(lake, RECORDS[2])
    assert marks_if_complete(tables, before) is not None
    monkeypatch.setattr(removals, "MOST_COMMITS", 1)
    assert marks_if_complete(tables, before) is None
    later = {name: m.model_copy(update={"version": m.version + 99}) for name, m in before.items()}
    assert marks_if_complete(tables, later) is None


def test_an_old_copy_that_was_put_back_has_lost_rows(tables: FolderTables, tmp_path: Path) -> None:
    """Also when it has grown beyond the version that was noted."""
    root, copy = tmp_path / "lake", tmp_path / "copy"
    shutil.copytree(root, copy)
    with open_for_writing(tables, "a test") as lake:
        land(lake, RECORDS[2])
    before = marks(tables)
    shutil.rmtree(root)
    copy.rename(root)
    assert marks_if_complete(tables, before) is None
    with open_for_writing(tables, "a test") as lake:
        land(lake, *RECORDS[3:], make_record("one more"), make_record("another one"))
    assert marks(tables)["runs"].version > before["runs"].version
    assert marks_if_complete(tables, before) is None
