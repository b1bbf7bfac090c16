"""Of several writers of a lake one lands, whatever guarded the lake before."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from support.lakes.checker import check, read_table
from support.lakes.landed import PREFIX, kafka_messages, land, rows_of, run_of, tables_in
from support.lakes.purged_table import TAKEN_OVER
from support.messages.records import make_record

from conformare_schemas import RUN_GRAINS
from conformare_sink.errors import LakeBusyError, TableWriteError
from conformare_sink.lake.lake import Lake, open_for_writing
from conformare_sink.lake.landing_note import LandingNote
from conformare_sink.lake.layout import LANDING_NOTES
from conformare_sink.lake.purge import Purge
from conformare_sink.lake.store.storage import Storage
from conformare_sink.lake.tables.folder import FolderTables
from conformare_sink.lake.tables.folder_table import FolderTable
from conformare_sink.lake.tables.tables import LAKE_TABLES
from conformare_sink.messages.decode import decode
from conformare_sink.messages.envelope import Rejected

FIRST, SECOND, THIRD = (make_record(f"run-{n}") for n in range(3))
WRITERS, ROUNDS = 3, 5


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
    tables = [name for name in LAKE_TABLES if name not in RUN_GRAINS]
    assert not any(read_table(tmp_path, name) for name in tables)
    assert new.read_to(["log:0"]) == {}
