"""What others commit to `runs` beside an open lake is known."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from support.lakes.known_runs import RECORDS, RUNS, Read, append_by_hand, known_in, opened, runs
from support.lakes.landed import land

from conformare_sink.errors import StorageError
from conformare_sink.lake.store.storage import Storage

pytestmark = pytest.mark.usefixtures("few_are_kept")


def test_what_others_commit_meanwhile_is_known_and_only_that_is_read(
    tmp_path: Path, read: Read
) -> None:
    """Between two landings of ours."""
    with opened(tmp_path) as lake:
        land(lake, *RECORDS[:3])
        read.since()
        append_by_hand(tmp_path, RECORDS[5])
        assert known_in(lake) == [0, 1, 2, 5]
        land(lake, RECORDS[6])
        append_by_hand(tmp_path, RECORDS[7])
        land(lake, RECORDS[8])
        append_by_hand(tmp_path, RECORDS[9])
        assert known_in(lake) == [0, 1, 2, 5, 6, 7, 8, 9]
        assert read.since()[0] == 0
        lake.compact("runs")
        assert known_in(lake) == [0, 1, 2, 5, 6, 7, 8, 9]
        assert read.since() == (0, 0)
    with opened(tmp_path) as lake:
        assert known_in(lake) == [0, 1, 2, 5, 6, 7, 8, 9]
        assert read.since()[0] == 0


def test_what_somebody_compacts_by_hand_changes_nothing(tmp_path: Path, read: Read) -> None:
    """Beside an open lake nothing is read, and at the next opening the file that was made."""
    with opened(tmp_path) as lake:
        land(lake, *RECORDS[:5])
        read.since()
        runs(tmp_path).optimize.compact()
        assert known_in(lake) == [*range(5)]
        assert read.since() == (0, 0)
    runs(tmp_path).optimize.compact()
    with opened(tmp_path) as lake:
        assert known_in(lake) == [*range(5)]
        assert read.since() == (0, 1)


def test_what_others_have_done_is_not_forgotten_where_the_store_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither when it fails as that is asked, nor as it is read."""
    read = Storage.read
    with opened(tmp_path) as lake:
        land(lake, RECORDS[0])
        for number in range(1, 9):
            append_by_hand(tmp_path, RECORDS[number])
            n_reads = [0]

            def fail_at(
                storage: Storage, name: str, number: int = number, n_reads: list[int] = n_reads
            ) -> bytes | None:
                n_reads[0] += 1
                if n_reads[0] == number:
                    raise StorageError("the store does not answer")
                return read(storage, name)

            with monkeypatch.context() as patch:
                patch.setattr(Storage, "read", fail_at)
                with suppress(StorageError):  # some reads look beyond the newest commit
                    lake.settled(RUNS)
                assert n_reads[0] >= number
            assert known_in(lake) == [*range(number + 1)]
    with opened(tmp_path) as lake:
        assert known_in(lake) == [*range(9)]
