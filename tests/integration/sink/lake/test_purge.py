"""Runs that were deleted on purpose are gone, whole, and stay away."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timezone
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable
from support.lakes.checker import check, read_table
from support.lakes.store import Store
from support.messages.produce import messages_of
from support.messages.records import Record, make_record

from conformare.cli import main
from conformare.emission import Message
from conformare_schemas import GRAINS, RUN_GRAINS
from conformare_sink.errors import TableWriteError
from conformare_sink.lake import purge as purging
from conformare_sink.lake.lake import Lake, open_for_writing
from conformare_sink.lake.layout import PURGING_NOTE
from conformare_sink.lake.purge import Purge, Purged, rehearse_purge
from conformare_sink.lake.tables.tables import LAKE_TABLES
from conformare_sink.messages.emission import Decision, RunKey
from conformare_sink.stream.replay import Selection

ROWS_OF_A_RUN = 36
KEPT = [make_record(f"kept-{n}", pipeline="kept") for n in range(2)]


@pytest.fixture(scope="module", autouse=True)
def neighbours(store: Store) -> None:
    """Runs that no test purges."""
    send(store, KEPT)
    store.catch_up()


def send(store: Store, records: Iterable[Record], emission: str = "e") -> None:
    """Send whole runs."""
    for record in records:
        run = record["runs"][0]
        store.topic.send(messages_of(record, f"{emission}-{run['pipeline']}-{run['run_id']}"))


def versions(store: Store) -> dict[str, int]:
    """How often each table was written."""
    return {table: DeltaTable(str(Path(store.lake) / table)).version() for table in LAKE_TABLES}


def test_a_purge_that_a_crash_broke_off_is_finished_and_nothing_comes_back(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither by a replay nor by a job that sends again."""
    doomed = [make_record(f"doomed-{n}", pipeline="doomed") for n in range(3)]
    send(store, doomed)
    assert store.catch_up()[Decision.LAND] == 3
    purge = Purge(pipeline="doomed")
    before = versions(store)
    expected = Purged({"doomed": 3}, {"doomed": 3 * ROWS_OF_A_RUN}, 0)
    assert rehearse_purge(store.tables, purge) == expected
    assert versions(store) == before

    delete = Lake.delete

    def crash(lake: Lake, table: str, keys: pa.Table) -> int:
        if table == "risks":
            raise TableWriteError(table, "the disk is gone")
        return delete(lake, table, keys)

    with monkeypatch.context() as patch, open_for_writing(store.tables, "a purge") as lake:
        patch.setattr(Lake, "delete", crash)
        with pytest.raises(TableWriteError):
            lake.purge(purge)
    assert Path(store.lake, PURGING_NOTE).exists()
    assert len(read_table(store.lake, "runs")) == len(KEPT)
    assert len(read_table(store.lake, "risks")) == (len(KEPT) + 3) * 5

    send(store, doomed, "another")
    decided = store.catch_up()
    assert not Path(store.lake, PURGING_NOTE).exists()
    assert (decided[Decision.PURGED], decided[Decision.LAND]) == (3, 0)
    assert check(store.lake, KEPT).is_sound
    tombstones = [(row["pipeline"], row["run_id"]) for row in read_table(store.lake, "purged")]
    assert sorted(tombstones) == [("doomed", f"doomed-{n}") for n in range(3)]

    replayed = store.again(Selection(pipelines=["doomed"]))
    assert (replayed.purged, replayed.landed, replayed.repeated) == (6, 0, 0)
    assert check(store.lake, KEPT).is_sound


def test_a_purge_that_broke_off_before_its_tombstones_is_done_by_the_next_writer(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The note alone says what was wanted; `runs` goes first, for readers begin there."""
    with monkeypatch.context() as patch, open_for_writing(store.tables, "a purge") as lake:
        patch.setattr(purging, "_remember", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            lake.purge(Purge(run_ids=("kept-1",)))
    deleted: list[str] = []
    with monkeypatch.context() as patch:
        patch.setattr(Lake, "delete", lambda _, table, __: deleted.append(table))
        with open_for_writing(store.tables, "the next") as lake:
            assert not Path(store.lake, PURGING_NOTE).exists()
            # It knows what it has just finished: a sink that reads everything again would land it.
            ours, another = RunKey("kept", "kept-1"), RunKey("another", "kept-1")
            settled = lake.settled([ours, another, RunKey("kept", "kept-0")])
            assert settled.purged == {ours, another}
    assert deleted[0] == "runs"
    assert sorted(deleted) == sorted([*GRAINS, "acknowledgements", "pending", "quarantine"])
    assert "kept-1" in {row["run_id"] for row in read_table(store.lake, "purged")}


def test_a_note_that_was_not_finished_purges_nothing(store: Store) -> None:
    """Its writer ended before it deleted anything."""
    before = {table: len(read_table(store.lake, table)) for table in LAKE_TABLES}
    Path(store.lake, PURGING_NOTE).write_text('{"purge": {"pipel', encoding="utf-8")
    with open_for_writing(store.tables, "the next"):
        assert not Path(store.lake, PURGING_NOTE).exists()
    assert {table: len(read_table(store.lake, table)) for table in LAKE_TABLES} == before


def test_what_waits_and_what_is_in_quarantine_goes_by_its_run_id(store: Store) -> None:
    """The rest of the run then comes too late; and nothing else is touched."""
    first, *rest = messages_of(make_record("waiting", pipeline="any"), "e-waiting")
    bad = [Message("runs", b"waiting", b"garbage"), Message("runs", b"stays", b"garbage")]
    store.topic.send([*rest, *bad])
    assert store.catch_up()[Decision.WAIT] == 1
    with open_for_writing(store.tables, "a purge") as lake:
        assert lake.purge(Purge(run_ids=("waiting",), pipeline="other")) == Purged({}, {}, 0)
        before = versions(store)
        assert lake.purge(Purge(pipeline="nobody's")) == Purged({}, {}, 0)
        assert versions(store) == before
        assert lake.purge(Purge(run_ids=("unread",))) == Purged({}, {}, 0)
        assert lake.settled([RunKey("any", "unread")]).purged
        assert lake.purge(Purge(run_ids=("waiting",))) == Purged({"any": 1}, {}, 1)
    assert read_table(store.lake, "pending") == []
    assert [row["key"] for row in read_table(store.lake, "quarantine")] == [b"stays"]
    store.topic.send([first])
    assert store.catch_up()[Decision.PURGED] == 1
    assert check(store.lake, KEPT).is_sound


def test_a_run_of_which_there_is_only_garbage_is_remembered(store: Store) -> None:
    """Its messages are still in Kafka, and may be readable later."""
    store.topic.send([Message("runs", b"garbage-only", b"garbage")])
    store.catch_up()
    with open_for_writing(store.tables, "a purge") as lake:
        assert lake.purge(Purge(run_ids=("garbage-only",))) == Purged({}, {}, 1)
    send(store, [make_record("garbage-only", pipeline=name) for name in ("one", "two")])
    decided = store.catch_up()
    assert (decided[Decision.PURGED], decided[Decision.LAND]) == (2, 0)


def test_of_several_conditions_all_must_hold(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    """And the command tells what went, and what becomes of the bytes."""
    old, new = "2025-01-01T00:00:00.000000Z", "2026-01-01T00:00:00.000000Z"
    runs = [("old", "one", old), ("new", "one", new), ("old", "two", old)]
    records = [make_record(run_id, pipeline=name, ts=ts) for run_id, name, ts in runs]
    send(store, records)
    store.catch_up()
    command = ["purge", "--lake", store.lake, "--pipeline", "one", "--before", "2025-06-01"]
    before = versions(store)
    assert main([*command, "--dry-run"]) == 0
    assert versions(store) == before
    assert "Would be deleted" in capsys.readouterr().out
    assert main(command) == 0
    told = capsys.readouterr().out
    assert "conformare maintain" in told
    assert [word for word in told.split() if word.isalnum()][:6] == [
        *("Deleted", "pipeline", "runs", "rows"),
        *("one", "1"),
    ]
    assert check(store.lake, [*KEPT, *records[1:]]).is_sound
    assert main(command) == 0
    assert capsys.readouterr().out == "no such run; nothing was deleted\n"
    assert {row["ts"].year for row in read_table(store.lake, "runs")} == {2025, 2026}
    assert read_table(store.lake, "purged")[-1]["purged_at"] <= datetime.now(timezone.utc)
    assert len({row["emission_id"] for g in RUN_GRAINS for row in read_table(store.lake, g)}) == 4
