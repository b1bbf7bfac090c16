"""Of several writers of a lake one commits, whatever guarded the lake before: by what tables say."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import deltalake
import pyarrow as pa
import pytest
from deltalake import DeltaTable
from support.checker import check, read_table
from support.lakes import PREFIX, kafka_messages, land, rows_of, run_of, tables_in
from support.records import make_record

from conformare_schemas import GRAINS, Column, arrow_schema
from conformare_sink.errors import LakeBusyError, LakeRefusedError, SinkError, TableWriteError
from conformare_sink.lake.lake import Lake, open_for_writing
from conformare_sink.lake.landing_note import LandingNote
from conformare_sink.lake.landings import run_keys
from conformare_sink.lake.layout import LANDING_NOTES
from conformare_sink.lake.purge import Purge
from conformare_sink.lake.store.storage import Storage
from conformare_sink.lake.tables import folder_table
from conformare_sink.lake.tables.definition import create_table
from conformare_sink.lake.tables.folder import FolderTables
from conformare_sink.lake.tables.folder_table import FolderTable
from conformare_sink.lake.tables.own import PURGED
from conformare_sink.lake.tables.tables import LAKE_TABLES
from conformare_sink.messages.decode import decode
from conformare_sink.messages.envelope import Rejected

FIRST, SECOND, THIRD = (make_record(f"run-{n}") for n in range(3))
TAKEN_OVER = "was taken over by another writer"
SCHEMA = arrow_schema(PURGED.columns)
WRITERS, ROUNDS = 3, 5


def tombstone(run_id: str) -> pa.Table:
    """A row."""
    return pa.table([[run_id], ["p"], [None]], schema=SCHEMA)


def loaded(root: Path) -> DeltaTable:
    """The table `purged`, made where it is missing."""
    return create_table(Storage(str(root)), PURGED)


def opened(root: Path, table: DeltaTable | None = None) -> FolderTable:
    """A writer of it."""
    return FolderTable(Storage(str(root)), PURGED, table or DeltaTable(root / "purged"))


def run_ids(root: Path) -> list[str]:
    """What is in it."""
    return sorted(row["run_id"] for row in read_table(root, "purged"))


@contextmanager
def when(patch: pytest.MonkeyPatch, name: str, do: Callable[[], object]) -> Iterator[None]:
    """Do something once, just before the next call of a function of deltalake's."""
    original, todo = getattr(folder_table, name), [do]

    def interrupted(*arguments: Any, **keywords: Any) -> Any:
        if todo:
            todo.pop()()
        return original(*arguments, **keywords)

    with patch.context() as context:
        context.setattr(folder_table, name, interrupted)
        yield


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


def test_a_commit_that_fails_is_tried_again_and_one_whose_answer_is_lost_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was said of it is not believed, but the log."""
    loaded(tmp_path)
    table = opened(tmp_path)
    write = deltalake.write_deltalake

    def fail(*_: object, **__: object) -> None:
        raise OSError("Generic S3 error: error sending request")

    def answering(fate: list[str]) -> Callable[..., None]:
        def answer(*arguments: Any, **keywords: Any) -> None:
            now = fate.pop(0)
            if now != "fails":
                write(*arguments, **keywords)
            if now != "lands":
                fail()

        return answer

    for fate in ("fails fails lands", "loses", "fails loses"):
        with monkeypatch.context() as patch:
            patch.setattr(folder_table, "write_deltalake", answering(fate.split()))
            table.append(tombstone(fate))
    with monkeypatch.context() as patch:
        patch.setattr(folder_table, "write_deltalake", fail)
        with pytest.raises(
            TableWriteError, match="purged cannot be written: Generic S3 error: error sending"
        ):
            table.append(tombstone("never"))
    assert run_ids(tmp_path) == ["fails fails lands", "fails loses", "loses"]


def test_what_others_commit_meanwhile_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows that somebody appends or deletes by hand, a property that somebody sets."""
    loaded(tmp_path)
    table = opened(tmp_path)
    table.append(tombstone("a"))

    def by_hand() -> None:
        there = DeltaTable(tmp_path / "purged")
        deltalake.write_deltalake(there, tombstone("by hand"), mode="append")
        there.delete("run_id = 'a'")
        there.alter.set_table_properties({"delta.checkpointInterval": "50"})

    assert not table.changed_by_others()
    with when(monkeypatch, "write_deltalake", by_hand):
        table.append(tombstone("b"))
    assert run_ids(tmp_path) == ["b", "by hand"]
    assert table.changed_by_others()
    assert not table.changed_by_others()
    table.append(tombstone("c"))
    by_hand()
    assert table.delete(pa.table({"run_id": ["b", "by hand"]})) == 3
    assert run_ids(tmp_path) == ["c"]
    assert table.changed_by_others()


def test_a_table_that_was_replaced_by_another_is_not_written(tmp_path: Path) -> None:
    """Somebody has deleted the lake, and made it anew, under a writer's hands."""
    loaded(tmp_path)
    table = opened(tmp_path)
    (tmp_path / "purged").rename(tmp_path / "aside")
    loaded(tmp_path)
    other = opened(tmp_path)
    other.append(tombstone("a"))
    for write in (
        lambda: table.append(tombstone("b")),
        lambda: table.delete(pa.table({"run_id": ["a"]})),
        table.fence,
        table.compact,
    ):
        with pytest.raises(SinkError, match=r"was replaced by another table|cannot be written"):
            write()
    assert run_ids(tmp_path) == ["a"]


def test_of_writers_that_begin_at_once_one_can_land(tmp_path: Path) -> None:
    """All the others have been told, or are when they write; each run is there once."""
    records = [make_record(f"race-{n}") for n in range(ROUNDS * WRITERS)]
    for number in range(ROUNDS):
        start = threading.Barrier(WRITERS)

        def race(writer: int, number: int = number, start: threading.Barrier = start) -> bool:
            start.wait()
            try:
                lake = Lake(FolderTables(Storage(str(tmp_path))))
                lake.recover()
                land(lake, records[number * WRITERS + writer])
            except (LakeBusyError, TableWriteError):
                return False
            return True

        with ThreadPoolExecutor(WRITERS) as pool:
            landed = [*pool.map(race, range(WRITERS))]
        assert any(landed) or number < ROUNDS
        with open_for_writing(tables_in(tmp_path), "the next one") as lake:
            there = {row["run_id"] for row in read_table(tmp_path, "runs")}
            for writer, has_landed in enumerate(landed):
                record = records[number * WRITERS + writer]
                assert not has_landed or run_of(record).run_id in there
                if run_of(record).run_id not in there:
                    land(lake, record)
    assert check(tmp_path, records).is_sound


def test_who_stops_while_it_takes_the_tables_takes_none_of_its_successors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And removes nothing of what that one is just landing."""
    with open_for_writing(tables_in(tmp_path), "a test"):
        pass
    take = FolderTables._take
    add = FolderTable.add
    successor: list[Lake] = []
    todo = ["take over"]

    def stop_before_children(tables: FolderTables, definition: Any, table: Any) -> Any:
        if definition.name != "runs" and todo:
            todo.clear()
            successor.append(Lake(FolderTables(Storage(str(tmp_path)))))
            rows = rows_of(FIRST)
            monkeypatch.setattr(FolderTable, "add", no_runs)
            with pytest.raises(ZeroDivisionError):
                successor[0].land(rows, [run_of(FIRST)])
            monkeypatch.setattr(FolderTable, "add", add)
        return take(tables, definition, table)

    def no_runs(table: FolderTable, *arguments: Any) -> None:
        if table._definition.name == "runs":
            raise ZeroDivisionError
        add(table, *arguments)

    monkeypatch.setattr(FolderTables, "_take", stop_before_children)
    monkeypatch.setattr("conformare_sink.lake.tables.folder.TABLES_AT_ONCE", 1)
    with pytest.raises(LakeBusyError, match=TAKEN_OVER):
        Lake(FolderTables(Storage(str(tmp_path)))).recover()
    assert len(read_table(tmp_path, "risks")) == 5
    successor[0]._open["runs"].append(rows_of(FIRST)["runs"])
    assert check(tmp_path, [FIRST]).is_sound


def test_who_was_taken_over_from_recovers_nothing(tmp_path: Path) -> None:
    """It had looked for notes before; what its successor has noted since stays."""
    with open_for_writing(tables_in(tmp_path), "a test") as lake:
        land(lake, FIRST)
    old = Lake(FolderTables(Storage(str(tmp_path))))
    old._landings._unfinished.add(f"{LANDING_NOTES}old.json")
    new = Lake(FolderTables(Storage(str(tmp_path))))
    note = f"{LANDING_NOTES}new.json"
    new.tables.storage.write(note, LandingNote([run_of(FIRST), run_of(SECOND)]).as_json())
    old._landings._unfinished.add(note)
    with pytest.raises(LakeBusyError, match=TAKEN_OVER):
        old.recover()
    assert note in new.tables.storage.names()
    waiting = decode(kafka_messages(SECOND), PREFIX).envelopes
    rejected = [Rejected(message, "a cause") for message in kafka_messages(THIRD)]
    for write in (
        lambda: land(old, SECOND),
        lambda: old.keep_waiting(waiting),
        lambda: old.quarantine(rejected),
        lambda: old.note_read({"log:0": 3}),
        lambda: old.purge(Purge(run_ids=("run-0",))),
    ):
        with pytest.raises(LakeBusyError, match=TAKEN_OVER):
            write()
    tables = [name for name in LAKE_TABLES if name not in GRAINS]
    assert [read_table(tmp_path, name) for name in tables] == [[], [], []]
    assert new.read_to(["log:0"]) == {}


@pytest.mark.parametrize("broken", [grain for grain in GRAINS if grain != "contexts"])
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


def test_a_lake_whose_table_was_replaced_is_told(tmp_path: Path) -> None:
    """In one line."""
    with open_for_writing(tables_in(tmp_path), "a test") as lake:
        (tmp_path / "risks").rename(tmp_path / "_aside")
        with open_for_writing_anew(tmp_path), pytest.raises(LakeRefusedError, match="was replaced"):
            lake.delete("risks", run_keys([run_of(FIRST)]))


@contextmanager
def open_for_writing_anew(root: Path) -> Iterator[None]:
    """Make the table that is missing."""
    create_table(Storage(str(root)), LAKE_TABLES["risks"])
    table = FolderTable(Storage(str(root)), LAKE_TABLES["risks"], DeltaTable(root / "risks"))
    table.append(rows_of(FIRST)["risks"])
    yield


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


def test_nothing_is_written_behind_the_log_of_a_younger_table(tmp_path: Path) -> None:
    """Readers stumble over a log with a gap."""
    loaded(tmp_path)
    table = opened(tmp_path)
    for n in range(5):
        table.append(tombstone(f"{n}"))
    (tmp_path / "purged").rename(tmp_path / "aside")
    with pytest.raises(TableWriteError):
        table.changed_by_others()
    loaded(tmp_path)
    for write in (
        lambda: table.append(tombstone("nowhere")),
        table.fence,
        table.changed_by_others,
        lambda: table.delete(pa.table({"run_id": ["0"]})),
    ):
        with pytest.raises(LakeRefusedError, match="was replaced by another table"):
            write()
    assert DeltaTable(tmp_path / "purged").version() == 0
    assert [path.name for path in (tmp_path / "purged" / "_delta_log").iterdir()] == [
        f"{0:020}.json"
    ]
