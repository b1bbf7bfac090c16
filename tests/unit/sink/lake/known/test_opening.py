"""An opening knows what `runs` holds, and reads what is new of it and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.lakes.checker import check
from support.lakes.known_runs import RECORDS, Read, append_by_hand, known_in, opened
from support.lakes.landed import land, tables_in

from conformare_sink.errors import LakeBusyError
from conformare_sink.lake.lake import Lake

pytestmark = pytest.mark.usefixtures("few_are_kept")


def test_an_opening_reads_nothing_but_what_is_new(tmp_path: Path, read: Read) -> None:
    """However much there is."""
    with opened(tmp_path) as lake:
        land(lake, *RECORDS[:8])
        assert known_in(lake) == [*range(8)]
    read.since()
    with opened(tmp_path) as lake:
        assert known_in(lake) == [*range(8)]
        assert read.since() == (0, 0)
    append_by_hand(tmp_path, *RECORDS[10:12])
    with opened(tmp_path) as lake:
        assert known_in(lake) == [*range(8), 10, 11]
        assert read.since() == (0, 2)
    with opened(tmp_path, "another machine's") as lake:
        assert known_in(lake) == [*range(8), 10, 11]
        assert read.since() == (1, 0)
    with opened(tmp_path) as lake:
        assert read.since() == (0, 0)


def test_what_another_machine_lands_is_read_and_nothing_else(tmp_path: Path, read: Read) -> None:
    """Each has its own folder, and takes turns."""
    for turn in range(6):
        with opened(tmp_path, f"machine {turn % 2}") as lake:
            assert known_in(lake) == [*range(turn * 3)]
            land(lake, *RECORDS[turn * 3 : turn * 3 + 3])
        assert read.since() == ((1, 0) if turn in (0, 1) else (0, 3))


def test_a_process_that_is_killed_loses_nothing(tmp_path: Path, read: Read) -> None:
    """What it had not saved, the next one reads."""
    with opened(tmp_path) as lake:
        land(lake, *RECORDS[:4])
    left = Lake(tables_in(tmp_path / "lake"), checkpoint=tmp_path / "checkpoint")
    left._settled.known._save = lambda: None  # type: ignore[method-assign]  # as one that was killed
    land(left, *RECORDS[4:9])
    left.close()
    read.since()
    with opened(tmp_path) as lake:
        assert known_in(lake) == [*range(9)]
        assert read.since() == (0, 5)


def test_a_run_whose_landing_ended_badly_just_after_its_commit_is_known(tmp_path: Path) -> None:
    """The writer was taken over from in that instant; the next opening must find the run."""

    def confirm() -> None:
        raise LakeBusyError("taken over")

    with opened(tmp_path) as lake:
        land(lake, RECORDS[0])
    lake = Lake(tables_in(tmp_path / "lake"), confirm, tmp_path / "checkpoint")
    with pytest.raises(LakeBusyError):
        land(lake, RECORDS[1])
    assert known_in(lake) == [0, 1]
    assert lake.recover() == {}
    lake.close()
    with opened(tmp_path) as lake:
        assert known_in(lake) == [0, 1]
    assert check(tmp_path / "lake", RECORDS[:2]).is_sound
