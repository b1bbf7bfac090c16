"""What is known is what the table `runs` holds, whoever has changed it, and however it is opened."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from subprocess import PIPE, Popen
from typing import Any

import deltalake
import pyarrow as pa
import pytest
from deltalake import DeltaTable
from support.checker import check
from support.lakes import land, rows_of, run_of, tables_in
from support.records import Record, make_record

from conformare_sink.errors import LakeBusyError, StorageError
from conformare_sink.lake.digests import run_digest
from conformare_sink.lake.known import known, stored
from conformare_sink.lake.known.folder import LOCK, MANIFEST
from conformare_sink.lake.known.known import KnownRuns
from conformare_sink.lake.known.place import known_place
from conformare_sink.lake.lake import Lake, open_for_writing
from conformare_sink.lake.layout import commit_file
from conformare_sink.lake.purge import Purge
from conformare_sink.lake.store.storage import Storage
from conformare_sink.lake.tables.changes import read_files
from conformare_sink.lake.tables.folder import FolderTables
from conformare_sink.stream.resume.marker import MARKER, Marker, kept_in, read_marker, write_marker

RECORDS = [make_record(f"run-{n}", pipeline=f"p{n % 2}", rows={}) for n in range(20)]
RUNS = [run_of(record) for record in RECORDS]


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few runs are kept on disk, too."""
    monkeypatch.setattr(known, "KEPT", 1)
    monkeypatch.setattr(known, "MOST_GONE", 0.5)
    monkeypatch.setattr(stored, "SPILLED", 3)


class Read:
    """Counts what is read of the table `runs`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.tables = self.files = 0
        select = FolderTables.select

        def selected(tables: FolderTables, sql: str, *names: str) -> Iterator[pa.Table]:
            self.tables += names == ("runs",) and "md5" in sql
            return select(tables, sql, *names)

        def read(storage: Any, table: str, paths: Any, columns: Any) -> Iterator[pa.Table]:
            self.files += len(paths)
            return read_files(storage, table, paths, columns)

        monkeypatch.setattr(FolderTables, "select", selected)
        monkeypatch.setattr("conformare_sink.lake.tables.folder.read_files", read)

    def since(self) -> tuple[int, int]:
        """How often the whole table was read, and how many files, since it was asked last."""
        found, self.tables, self.files = (self.tables, self.files), 0, 0
        return found


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> Read:
    """What is read of the table."""
    return Read(monkeypatch)


@contextmanager
def opened(tmp_path: Path, checkpoint: str = "checkpoint") -> Iterator[Lake]:
    """The lake, by a writer that has a folder for it."""
    with open_for_writing(tables_in(tmp_path / "lake"), "a test", tmp_path / checkpoint) as lake:
        yield lake


def known_in(lake: Lake) -> list[int]:
    """Numbers of the runs that a lake knows, asked in both ways."""
    digests = [*map(run_digest, RUNS)]
    by_digest, _ = lake.settled_digests(digests)
    by_key = lake.settled(RUNS).known
    assert by_digest == {*map(run_digest, by_key)}
    return [number for number, run in enumerate(RUNS) if run in by_key]


def runs(tmp_path: Path) -> DeltaTable:
    """The table as somebody else opens it."""
    return DeltaTable(tmp_path / "lake" / "runs")


def append_by_hand(tmp_path: Path, *records: Record) -> None:
    """Somebody else lands runs."""
    for record in records:
        deltalake.write_deltalake(runs(tmp_path), rows_of(record)["runs"], mode="append")


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
    left._settled.known._save = lambda: None  # type: ignore[method-assign]
    land(left, *RECORDS[4:9])
    left.close()
    read.since()
    with opened(tmp_path) as lake:
        assert known_in(lake) == [*range(9)]
        assert read.since() == (0, 5)


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


def test_two_writers_of_one_machine_do_not_share_a_folder(tmp_path: Path, read: Read) -> None:
    """The second takes the lake over, and what the first does with the folder harms nobody."""
    with opened(tmp_path) as lake:
        land(lake, *RECORDS[:3])
    first, second = (
        Lake(tables_in(tmp_path / "lake"), checkpoint=tmp_path / "checkpoint") for _ in range(2)
    )
    land(second, *RECORDS[3:9])
    with pytest.raises(LakeBusyError):
        land(first, RECORDS[10])
    first.close()
    assert known_in(second) == [*range(9)]
    second.close()
    read.since()
    with opened(tmp_path) as lake:
        assert known_in(lake) == [*range(9)]
        assert read.since() == (0, 6)


READER = """
import sys
from contextlib import closing
from conformare_sink.lake.halves import array_of
from conformare_sink.lake.known.folder import LOCK, MANIFEST
from conformare_sink.lake.known.known import KnownRuns
from support.lakes import tables_in

tables = tables_in(sys.argv[1])
asked = array_of([bytes.fromhex(digest) for digest in sys.argv[2:]])
with closing(KnownRuns(tables, tables.lake_id(), is_writer=False)) as known:
    for _ in sys.stdin:
        print(sum(known.contain(asked)), flush=True)
"""
"""Another process, who only reads, opens what a writer keeps; asked by a line, it tells what is known."""


def test_a_process_that_reads_beside_the_writer_harms_it_not_and_is_not_harmed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has what it opened, whatever the writer deletes of it."""
    monkeypatch.setenv("CONFORMARE_CACHE_DIR", str(tmp_path / "cache"))
    with open_for_writing(tables_in(tmp_path / "lake"), "a test") as lake:
        land(lake, *RECORDS[:9])
        place = known_place(lake.lake_id)
        before = {*place.iterdir()}
        assert len(before) > 2
        digests = [run_digest(run).hex() for run in RUNS]
        command = [sys.executable, "-c", READER, str(tmp_path / "lake"), *digests]
        with Popen(command, stdin=PIPE, stdout=PIPE, text=True) as reader:
            assert told(reader) == "9"
            assert {*place.iterdir()} == before
            land(lake, *RECORDS[9:])
            for file in before - {place / LOCK, place / MANIFEST}:
                file.unlink(missing_ok=True)
            assert told(reader) == "9"
            reader.communicate()
        assert reader.returncode == 0
        assert known_in(lake) == [*range(20)]


def test_who_only_reads_keeps_nothing(tmp_path: Path, read: Read) -> None:
    """Neither where there is nothing, nor where something is old."""
    with opened(tmp_path, "another machine's") as lake:
        land(lake, *RECORDS[:5])
    place = tmp_path / "checkpoint"
    tables = tables_in(tmp_path / "lake")
    for n_known in (5, 8):
        kept = {file: file.read_bytes() for file in place.rglob("*") if file.is_file()}
        read.since()
        found = KnownRuns(tables, tables.lake_id(), checkpoint=place, is_writer=False)
        with closing(found):
            assert found.among(RUNS) == {*RUNS[:n_known]}
        assert read.since() == ((1, 0) if n_known == 5 else (0, 3))
        assert {file: file.read_bytes() for file in place.rglob("*") if file.is_file()} == kept
        if n_known == 5:
            with opened(tmp_path):
                pass
            with opened(tmp_path, "another machine's") as lake:
                land(lake, *RECORDS[5:8])


def told(reader: Popen[str]) -> str:
    """Ask the other process how many of the runs are known."""
    assert reader.stdin is not None
    assert reader.stdout is not None
    reader.stdin.write("how many?\n")
    reader.stdin.flush()
    return reader.stdout.readline().strip()


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
