"""Where on this machine known runs are kept, if they are."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.lakes.known_runs import RECORDS, opened
from support.lakes.landed import land

from conformare_sink.lake.known import known
from conformare_sink.lake.known.place import known_place
from conformare_sink.stream.resume.marker import MARKER, Marker, kept_in, read_marker, write_marker

pytestmark = pytest.mark.usefixtures("few_are_kept")


def test_a_small_lake_leaves_nothing_on_this_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is read as fast."""
    monkeypatch.setattr(known, "KEPT", 10)
    with opened(tmp_path) as lake:
        land(lake, *RECORDS[:2])
    assert not (tmp_path / "checkpoint").exists()


def test_known_runs_beside_the_marker_are_a_checkpoint(tmp_path: Path) -> None:
    """They may be there before it; and never in the folder of another lake."""
    folder_of_ours = tmp_path / "checkpoint"
    with opened(tmp_path) as lake:
        land(lake, *RECORDS[:2])
        lake_id = lake.lake_id
    assert read_marker(folder_of_ours) is None
    assert kept_in(folder_of_ours, lake_id) == folder_of_ours
    write_marker(folder_of_ours, Marker(lake_id, "somewhere"))
    assert {file.name for file in folder_of_ours.iterdir()} == {MARKER, "known"}
    assert kept_in(folder_of_ours, lake_id) == folder_of_ours
    assert kept_in(folder_of_ours, "another") is None
    assert kept_in(folder_of_ours, None) is None


@pytest.mark.parametrize("table_id", ["", "..", "a/b", "/a", "a" * 101, "ü"])
def test_an_identity_that_is_no_name_of_a_folder_gets_one(tmp_path: Path, table_id: str) -> None:
    """Somebody else may have made the table."""
    assert known_place(table_id, tmp_path).parent == tmp_path / "known"
    assert len(known_place(table_id, tmp_path).name) == 64
