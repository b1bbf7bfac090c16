"""What is gone from `runs` is known no more, whoever has removed it."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.lakes.known_runs import RECORDS, Read, append_by_hand, known_in, opened, runs
from support.lakes.landed import land

from conformare_sink.lake.purge import Purge

pytestmark = pytest.mark.usefixtures("few_are_kept")


def test_what_is_purged_is_known_no_more(tmp_path: Path, read: Read) -> None:
    """By this writer; by one with another folder; and what comes back then, is."""
    with opened(tmp_path) as lake:
        land(lake, *RECORDS[:10])
        read.since()
        lake.purge(Purge(run_ids=("run-3",)))
        assert known_in(lake) == [n for n in range(10) if n != 3]
        assert read.since() == (0, 0)
    with opened(tmp_path, "another machine's") as lake:
        lake.compact("runs")
        lake.purge(Purge(run_ids=("run-4", "run-7")))
        land(lake, RECORDS[12])
        lake.compact("runs")
    read.since()
    with opened(tmp_path) as lake:
        assert known_in(lake) == [0, 1, 2, 5, 6, 8, 9, 12]
        assert read.since()[0] == 0
        land(lake, RECORDS[3], RECORDS[7])
        assert known_in(lake) == [0, 1, 2, 3, 5, 6, 7, 8, 9, 12]
    with opened(tmp_path) as lake:
        assert known_in(lake) == [0, 1, 2, 3, 5, 6, 7, 8, 9, 12]
        assert read.since()[0] == 0


def test_where_most_is_gone_what_is_left_is_read_anew(tmp_path: Path, read: Read) -> None:
    """What is gone would take room on the disk and in memory for ever."""
    with opened(tmp_path) as lake:
        land(lake, *RECORDS[:10])
        read.since()
        lake.purge(Purge(run_ids=tuple(f"run-{n}" for n in range(7))))
        assert known_in(lake) == [7, 8, 9]
        assert read.since() == (1, 0)
        assert lake._settled.known._set.n_gone == 0
    with opened(tmp_path) as lake:
        assert known_in(lake) == [7, 8, 9]
        assert read.since() == (0, 0)


def test_a_run_that_landed_and_was_purged_between_two_openings_is_not_known(
    tmp_path: Path, read: Read
) -> None:
    """By another writer; and once the files are gone in which it was, all is read again."""
    with opened(tmp_path) as lake:
        land(lake, *RECORDS[:4])
    for number, all_read in ((5, 0), (6, 1)):
        with opened(tmp_path, "another machine's") as lake:
            land(lake, RECORDS[number])
            lake.compact("runs")
            lake.purge(Purge(run_ids=(f"run-{number}", "run-0")))
        if all_read:
            live = {Path(uri).name for uri in runs(tmp_path).file_uris()}
            for file in (tmp_path / "lake" / "runs").glob("*.parquet"):
                if file.name not in live:
                    file.unlink()
        read.since()
        with opened(tmp_path) as lake:
            assert known_in(lake) == [1, 2, 3]
            assert read.since()[0] == all_read


@pytest.mark.parametrize("is_open", [True, False])
def test_what_somebody_deletes_or_restores_by_hand_is_noticed(
    tmp_path: Path, read: Read, *, is_open: bool
) -> None:
    """Also where rows had come twice: after one of each is gone, the other is still there."""
    with opened(tmp_path) as lake:
        land(lake, *RECORDS[:4])
        before = runs(tmp_path).version()

    def deleted() -> None:
        runs(tmp_path).delete("run_id = 'run-1'")

    def doubled() -> None:
        append_by_hand(tmp_path, RECORDS[2], RECORDS[6])

    def restored() -> None:
        runs(tmp_path).restore(before)

    expected = {deleted: [0, 2, 3], doubled: [0, 2, 3, 6], restored: [0, 1, 2, 3]}
    read.since()
    if is_open:
        with opened(tmp_path) as lake:
            for change, there in expected.items():
                change()
                assert known_in(lake) == there
                assert read.since()[0] == (change is not doubled)
        return
    for change, there in expected.items():
        change()
        with opened(tmp_path) as lake:
            assert known_in(lake) == there
            assert read.since()[0] == (change is not doubled)
