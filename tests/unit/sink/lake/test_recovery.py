"""What the writer before has left behind: a landing that broke off, and how far it has read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from deltalake import DeltaTable
from support.lakes.checker import check, read_table
from support.lakes.landed import land, tables_in
from support.messages.records import make_record

from conformare_schemas import RUN_GRAINS
from conformare_sink.errors import TableWriteError
from conformare_sink.lake.lake import Lake, open_for_writing
from conformare_sink.lake.layout import LANDING_NOTES
from conformare_sink.lake.tables.folder_table import FolderTable

FIRST, SECOND = (make_record(f"run-{n}") for n in range(2))


@pytest.mark.parametrize("broken", [grain for grain in RUN_GRAINS if grain != "contexts"])
def test_a_landing_that_breaks_off_is_undone_by_the_next_writer_and_by_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    """Wherever it breaks off; what lands then is there once."""
    add = FolderTable.add

    def crash(table: FolderTable, *arguments: Any) -> None:
        if table._definition.name == broken:
            raise TableWriteError(broken, "the disk is gone")
        add(table, *arguments)

    def break_off(lake: Lake) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(FolderTable, "add", crash)
            with pytest.raises(TableWriteError):
                land(lake, FIRST)

    with open_for_writing(tables_in(tmp_path), "a test") as lake:
        break_off(lake)
        assert lake.recover()["contexts"] == 4
        assert lake.recover() == {}
        break_off(lake)
    with open_for_writing(tables_in(tmp_path), "the next one") as lake:
        assert read_table(tmp_path, "contexts") == []
        land(lake, FIRST, SECOND)
    assert check(tmp_path, [FIRST, SECOND]).is_sound
    assert not [name for name in tables_in(tmp_path).storage.names() if LANDING_NOTES in name]


def test_how_far_was_read_outlives_checkpoints_and_the_cleaning_of_the_log(tmp_path: Path) -> None:
    """It is in the table's snapshot, not only in its commits."""
    with open_for_writing(tables_in(tmp_path), "a test") as lake:
        runs = DeltaTable(tmp_path / "runs")
        runs.alter.set_table_properties(
            {
                "delta.checkpointInterval": "3",
                "delta.logRetentionDuration": "interval 0 seconds",
            }
        )
        for number in range(8):
            lake.note_read({"a:0": number, f"b:{number}": 1})
        lake.clean("runs", 168)
        assert lake.read_to(["a:0", "b:0", "b:7", "c:0"]) == {"a:0": 7, "b:0": 1, "b:7": 1}
    assert len([*(tmp_path / "runs" / "_delta_log").glob("*.json")]) < 4
    with open_for_writing(tables_in(tmp_path), "the next one") as lake:
        assert lake.read_to(["a:0", "b:0", "b:7", "c:0"]) == {"a:0": 7, "b:0": 1, "b:7": 1}
        # A topic that lost its end, and a loss that was accepted: it may go back.
        lake.note_read({"a:0": 2})
        assert lake.read_to(["a:0"]) == {"a:0": 2}
