"""Where what is kept does not fit `runs`, all of `runs` is read again."""

from __future__ import annotations

import shutil
from contextlib import closing
from pathlib import Path

import pytest
from support.lakes.known_runs import RECORDS, RUNS, Read, known_in, opened, runs
from support.lakes.landed import land, tables_in

from conformare_sink.lake.known.known import KnownRuns
from conformare_sink.lake.known.place import known_place
from conformare_sink.lake.layout import commit_file

pytestmark = pytest.mark.usefixtures("few_are_kept")


@pytest.mark.parametrize("n_others", [0, 10])
def test_a_lake_that_was_put_back_from_a_copy_is_noticed(
    tmp_path: Path, read: Read, n_others: int
) -> None:
    """Its versions have the numbers of those that are lost, and other content."""
    with opened(tmp_path) as lake:
        land(lake, *RECORDS[:3])
    shutil.copytree(tmp_path / "lake", tmp_path / "copy")
    with opened(tmp_path) as lake:
        land(lake, *RECORDS[3:6])
    shutil.rmtree(tmp_path / "lake")
    shutil.copytree(tmp_path / "copy", tmp_path / "lake")
    others = [*range(10, 10 + n_others)]
    with opened(tmp_path, "another machine's") as lake:
        land(lake, *(RECORDS[number] for number in others))
    read.since()
    with opened(tmp_path) as lake:
        assert known_in(lake) == [0, 1, 2, *others]
        assert read.since() == (1, 0)


def test_a_lake_that_was_made_again_knows_nothing_of_the_one_before(
    tmp_path: Path, read: Read
) -> None:
    """Another table has another identity, whatever its version is."""
    with opened(tmp_path) as lake:
        land(lake, *RECORDS[:3])
    shutil.rmtree(tmp_path / "lake")
    with opened(tmp_path) as lake:
        assert known_in(lake) == []
        land(lake, *RECORDS[1:5])
    with opened(tmp_path) as lake:
        assert known_in(lake) == [1, 2, 3, 4]
    # The same folder, and what is in it is of another table.
    place, other = (known_place(name, tmp_path / "checkpoint") for name in ("a", "b"))
    with opened(tmp_path) as lake:
        shutil.copytree(known_place(lake.lake_id, tmp_path / "checkpoint"), place)
    assert not other.exists()
    read.since()
    tables = tables_in(tmp_path / "lake")
    with closing(
        KnownRuns(tables, "a", checkpoint=tmp_path / "checkpoint", is_writer=True)
    ) as found:
        assert found.among(RUNS) == {*RUNS[1:5]}
    assert read.since() == (1, 0)


def test_where_the_log_was_cleaned_all_is_read_again(tmp_path: Path, read: Read) -> None:
    """Nobody can tell then what is new."""
    with opened(tmp_path) as lake:
        land(lake, *RECORDS[:3])
        version = runs(tmp_path).version()
    with opened(tmp_path, "another machine's") as lake:
        runs(tmp_path).alter.set_table_properties(
            {"delta.logRetentionDuration": "interval 0 seconds"}
        )
        land(lake, *RECORDS[3:5])
        lake.clean("runs", 168)
        land(lake, RECORDS[5])
    assert not (tmp_path / "lake" / commit_file("runs", version)).exists()
    read.since()
    with opened(tmp_path) as lake:
        assert known_in(lake) == [*range(6)]
        assert read.since() == (1, 0)


def test_a_damaged_folder_is_read_again_in_the_middle_of_a_landing(
    tmp_path: Path, read: Read
) -> None:
    """The damage is found when it is come upon, not before."""
    with opened(tmp_path) as lake:
        land(lake, *RECORDS[:9])
        place = known_place(lake.lake_id, tmp_path / "checkpoint")
    for file in place.glob("*.segment"):
        content = file.read_bytes()
        file.unlink()
        file.write_bytes(b"\x01" + content[1:])
    read.since()
    with opened(tmp_path) as lake:
        assert read.since() == (0, 0)
        assert known_in(lake) == [*range(9)]
        assert read.since() == (1, 0)
    with opened(tmp_path) as lake:
        assert known_in(lake) == [*range(9)]
        assert read.since() == (0, 0)
