"""A lake stays small, and its readers notice nothing: compaction, and what is deleted for good."""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable, QueryBuilder, write_deltalake
from hypothesis import given, settings
from hypothesis import strategies as st
from support.lakes.checker import check, read_table
from support.lakes.landed import PREFIX, kafka_messages, land, run_of, tables_in
from support.messages.records import make_record

from conformare.cli import main
from conformare_schemas import RUN_GRAINS, Column, arrow_schema
from conformare_sink.errors import RetentionTooShortError, TableWriteError
from conformare_sink.lake.lake import Lake, open_for_writing
from conformare_sink.lake.landings import run_keys
from conformare_sink.lake.maintenance import Maintenance
from conformare_sink.lake.store.storage import Storage
from conformare_sink.lake.tables import compaction, data_file
from conformare_sink.lake.tables.definition import create_table
from conformare_sink.lake.tables.folder_table import FolderTable
from conformare_sink.lake.tables.own import PURGED, QUARANTINE
from conformare_sink.lake.tables.sql import sql_text
from conformare_sink.lake.tables.tables import LAKE_TABLES
from conformare_sink.landing.landing import Landing
from conformare_sink.landing.pending import PendingMessages

DAY_SECONDS = 24 * 3600.0
DAY = timedelta(days=1)
FIRST_MOMENT = datetime(2026, 1, 1, tzinfo=timezone.utc)
ZERO_HOURS = {"delta.deletedFileRetentionDuration": "interval 0 hours"}


def live_files(lake: Path, table: str) -> list[Path]:
    """The files of which a table consists."""
    actions = pa.table(DeltaTable(lake / table).get_add_actions())
    return [lake / table / path for path in actions.column("path").to_pylist()]


def data_files(lake: Path, table: str) -> int:
    """Files of data that are on the disk."""
    return len([*(lake / table).glob("*.parquet")])


def commits(lake: Path, table: str) -> int:
    """Commits that are on the disk."""
    return len([*(lake / table / "_delta_log").glob("*.json")])


def grow_old(path: Path) -> None:
    """Let a file or a folder, and all that is in it, be of ten days ago."""
    then = time.time() - 10 * DAY_SECONDS
    for one in (*path.rglob("*"), path):
        os.utime(one, (then, then))


def content(lake: Path, table: str, version: int | None = None) -> list[str]:
    """The rows of a table, in no order that matters."""
    rows = DeltaTable(lake / table, version=version).to_pyarrow_table().to_pylist()
    return sorted(map(repr, rows))


def purged_table(lake: Path) -> FolderTable:
    """A table of its own, which has texts and times only."""
    storage = Storage(str(lake))
    return FolderTable(storage, PURGED, create_table(storage, PURGED))


def tombstones(rows: list[tuple[str | None, str | None, datetime | None]]) -> pa.Table:
    """Rows for it."""
    schema = arrow_schema(PURGED.columns)
    columns = zip(*rows, strict=True) if rows else ((), (), ())
    arrays = [pa.array(values, one.type) for values, one in zip(columns, schema, strict=True)]
    return pa.table(arrays, schema=schema)


def test_small_files_old_files_and_what_is_settled_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """And the lake can be landed in as before."""
    records = [make_record(f"run-{n}") for n in range(7)]
    messages = [kafka_messages(record) for record in records]
    with open_for_writing(tables_in(tmp_path), "a test") as lake:
        landing = Landing(lake, PendingMessages(), PREFIX)
        for part in (*messages[:4], messages[4][:3], messages[4][3:], messages[5][:3]):
            landing.land(part)
        assert {len(live_files(tmp_path, grain)) for grain in RUN_GRAINS} == {5}
        assert len(read_table(tmp_path, "pending")) == 6

        risks = tmp_path / "risks"
        (risks / "of-a-writer-that-crashed.parquet").touch()
        grow_old(risks / "of-a-writer-that-crashed.parquet")
        before = data_files(tmp_path, "risks")
        report = Maintenance(lake).run_once()

        assert report.faults == []
        assert {len(live_files(tmp_path, grain)) for grain in RUN_GRAINS} == {1}
        done = {table.table: table for table in report.tables}
        assert (done["runs"].compacted, done["runs"].compacted_into) == (5, 1)
        assert (done["risks"].deleted, done["runs"].deleted) == (1, 0)
        assert data_files(tmp_path, "risks") == before
        assert report.settled == 3
        assert {row["run_id"] for row in read_table(tmp_path, "pending")} == {"run-5"}

        with monkeypatch.context() as patch:
            unwanted = "conformare_sink.lake.tables.folder.FolderTables.select"
            patch.setattr(unwanted, lambda *_: pytest.fail("everything is read again"))
            landing.land([*messages[5][3:], *messages[6], *messages[0]])
    assert check(tmp_path, records).is_sound
    assert len(live_files(tmp_path, "runs")) == 2

    assert main(["maintain", "--lake", str(tmp_path)]) == 0
    assert "16 file(s) compacted into 8" in capsys.readouterr().out
    assert check(tmp_path, records).is_sound


def test_rows_are_the_same_sorted_and_told_of_rightly(tmp_path: Path) -> None:
    """By a reader of its own, who skips the files of which the log says that they have no such row."""
    shuffled = random.Random(5)  # noqa: S311 - the same order every time
    numbers = shuffled.sample(range(24), 24)
    records = [
        make_record(f"run-{n}", pipeline=f"p{n % 3}", ts=(FIRST_MOMENT + n * DAY).isoformat())
        for n in numbers
    ]
    with open_for_writing(tables_in(tmp_path), "a test") as lake:
        land(lake, *records)
        lake.delete("risks", run_keys([run_of(records[0])]))  # its files have other types
        before = {name: content(tmp_path, name) for name in LAKE_TABLES}
        versions = {name: DeltaTable(tmp_path / name).version() for name in LAKE_TABLES}
        for name in LAKE_TABLES:
            lake.compact(name)
            lake.clean(name, 168)
    for name, rows in before.items():
        assert content(tmp_path, name) == rows
        assert content(tmp_path, name, versions[name]) == rows
    for grain in RUN_GRAINS:
        (file,) = live_files(tmp_path, grain)
        keys = pq.read_table(file, columns=["pipeline", "ts", "run_id"]).to_pylist()
        order = [(row["pipeline"], row["ts"], row["run_id"]) for row in keys]
        assert order == sorted(order)
    table = DeltaTable(tmp_path / "risks")
    for n in range(24):
        moment = (FIRST_MOMENT + n * DAY).isoformat()
        condition = f"run_id = 'run-{n}' AND pipeline = 'p{n % 3}' AND ts = '{moment}'"
        assert counted(table, condition) == (0 if n == numbers[0] else 5)


texts = st.one_of(
    st.none(),
    st.text(max_size=3),
    st.text(st.sampled_from("a\U0010ffff\U0001f600\ud7ffé"), min_size=62, max_size=70),
)
moments = st.one_of(
    st.none(),
    st.datetimes(timezones=st.just(timezone.utc)),
)


def counted(table: DeltaTable, condition: str) -> int:
    """How many rows the sink's own queries find."""
    sql = f"SELECT 1 FROM t WHERE {condition}"  # noqa: S608 - quoted
    return int(pa.table(QueryBuilder().register("t", table).execute(sql).read_all()).num_rows)


@settings(max_examples=60)
@given(rows=st.lists(st.tuples(texts, texts, moments), min_size=2, max_size=8))
def test_every_row_is_found_by_each_of_its_values(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[Any, Any, Any]]
) -> None:
    """Whatever they are: a file is passed over only where it has no such row."""
    root = tmp_path_factory.mktemp("lake")
    table = purged_table(root)
    for row in rows:
        table.append(tombstones([row]))
    assert table.compact().compacted_into == 1
    there = DeltaTable(root / "purged")
    names = there.to_pyarrow_table().column_names
    for number, name in enumerate(names):
        for value in {row[number] for row in rows} - {None}:
            expected = sum(row[number] == value for row in rows)
            assert there.to_pyarrow_table(filters=[(name, "=", value)]).num_rows == expected
            if isinstance(value, str) and "\0" not in value:
                assert counted(there, f"{name} = {sql_text(value)}") == expected


def test_what_is_full_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By its size on the disk, or by how much memory its rows take, which its size does not tell."""
    table = purged_table(tmp_path)
    for n in range(12):
        table.append(tombstones([(f"{n:04}" * 250, "p", None)] * 10))
    with monkeypatch.context() as patch:
        patch.setattr(compaction, "FULL_BYTES", 1)
        assert table.compact().compacted == 0
    rows = content(tmp_path, "purged")
    monkeypatch.setattr(compaction, "UNPACKED_BYTES", 50_000)
    done = table.compact()
    assert (done.compacted, done.compacted_into) == (12, 3)
    full = [file for file in live_files(tmp_path, "purged") if file.name.startswith("full-")]
    assert len(full) == 2
    table.append(tombstones([("late", "p", None)]))
    done = table.compact()
    assert (done.compacted, done.compacted_into) == (2, 1)
    assert {*full} <= {*live_files(tmp_path, "purged")}
    assert content(tmp_path, "purged") == sorted([*rows, *content_of([("late", "p", None)])])
    monkeypatch.setattr(compaction, "UNPACKED_BYTES", 100)
    table.append(tombstones([("x" * 200, "p", None)]))
    assert table.compact().compacted == 0


def content_of(rows: list[tuple[str | None, str | None, datetime | None]]) -> list[str]:
    """Rows as `content` tells them."""
    return [*map(repr, tombstones(rows).to_pylist())]


def test_large_values_are_in_small_row_groups(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Readers take thousands of rows of a group at once."""
    monkeypatch.setattr(data_file, "ROW_GROUP_BYTES", 10_000)
    storage = Storage(str(tmp_path))
    table = FolderTable(storage, QUARANTINE, create_table(storage, QUARANTINE))
    schema = arrow_schema(QUARANTINE.columns)
    for n in range(10):
        rows = {name: pa.nulls(2, schema.field(name).type) for name in schema.names}
        rows["value"] = pa.array([os.urandom(1_000)] * 2)
        table.append(pa.table(rows, schema=schema))
        assert table.compact().compacted in (0, 2)
        groups = pq.ParquetFile(live_files(tmp_path, "quarantine")[0]).metadata
        largest = max(groups.row_group(i).num_rows for i in range(groups.num_row_groups))
        assert largest <= 10 or n == 0


def test_old_files_get_the_columns_that_came_later(tmp_path: Path) -> None:
    """They have nothing in them."""
    table = purged_table(tmp_path)
    table.append(tombstones([("a", "p", None)]))
    table.add_columns((Column("cause", "STRING", "Why."),))
    table.append(tombstones([("b", "p", None)]))
    assert table.compact().compacted == 2
    rows = read_table(tmp_path, "purged")
    assert [(row["run_id"], row["cause"]) for row in rows] == [("a", None), ("b", None)]


def test_bytes_leave_the_disk_when_the_retention_is_over_and_never_before(tmp_path: Path) -> None:
    """What Delta allows is a property of the table."""
    with open_for_writing(tables_in(tmp_path), "a test") as lake:
        land(lake, *(make_record(f"run-{n}") for n in range(3)))
        before = content(tmp_path, "risks")
        version = DeltaTable(tmp_path / "risks").version()
        lake.compact("risks")
        with pytest.raises(RetentionTooShortError, match="a retention of 1 h is shorter"):
            Maintenance(lake, retention_hours=1).run_once()
        assert lake.clean("risks", 168) == (0, 0)
        assert data_files(tmp_path, "risks") == 4
        assert content(tmp_path, "risks", version) == before
        DeltaTable(tmp_path / "risks").alter.set_table_properties(ZERO_HOURS)
        assert lake.clean("risks", 168) == (0, 0)
        assert lake.clean("risks", 0) == (3, 0)
    assert data_files(tmp_path, "risks") == 1
    assert content(tmp_path, "risks") == before


def test_a_table_that_is_appended_to_for_long_is_read_from_its_checkpoints_on(
    tmp_path: Path,
) -> None:
    """Its writer makes them, and maintenance deletes the commits before them a week later."""
    table = purged_table(tmp_path)
    DeltaTable(tmp_path / "purged").alter.set_table_properties({"delta.checkpointInterval": "5"})
    for n in range(12):
        table.append(tombstones([(f"{n}", "p", None)]), {"log:0": n})
    log = tmp_path / "purged" / "_delta_log"
    assert len([*log.glob("*.checkpoint.parquet")]) >= 2
    grow_old(log)
    assert table.clean(168).log_deleted > 10
    assert commits(tmp_path, "purged") == 1
    assert table.read_to(["log:0", "log:1"]) == {"log:0": 11}
    assert DeltaTable(tmp_path / "purged").transaction_version("conformare.read:log:0") == 11
    assert len(content(tmp_path, "purged")) == 12


def test_a_fault_of_one_table_keeps_no_other_from_being_maintained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is told, and tried again the next time."""
    compact = Lake.compact

    def failing(lake: Lake, table: str) -> tuple[int, int]:
        if table == "contexts":
            raise TableWriteError(table, "the disk is gone")
        return compact(lake, table)

    with open_for_writing(tables_in(tmp_path), "a test") as lake:
        land(lake, *(make_record(f"run-{n}") for n in range(3)))
        maintenance = Maintenance(lake)
        with monkeypatch.context() as patch:
            patch.setattr(Lake, "compact", failing)
            report = maintenance.run_once()
        assert report.faults == ["contexts cannot be written: the disk is gone"]
        assert {table.table for table in report.tables} == LAKE_TABLES.keys() - {"contexts"}
        done = {table.table: table.compacted for table in maintenance.run_once().tables}
    assert (done["contexts"], done["risks"]) == (3, 0)


def test_compaction_that_meets_others_changes_no_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows are appended and deleted, and files deleted, between its look and its commit."""
    table = purged_table(tmp_path)
    for n in range(4):
        table.append(tombstones([(f"{n}", "p", None)]))
    write = compaction._write

    def meet(do: Callable[[], object]) -> Any:
        def met(*arguments: Any) -> Any:
            added = write(*arguments)
            do()
            return added

        return met

    with monkeypatch.context() as patch:
        patch.setattr(
            compaction, "_write", meet(lambda: table.append(tombstones([("4", "p", None)])))
        )
        assert table.compact().compacted == 4
    with monkeypatch.context() as patch:
        patch.setattr(compaction, "_write", meet(lambda: table.delete(pa.table({"run_id": ["2"]}))))
        with pytest.raises(TableWriteError, match="purged cannot be written"):
            table.compact()
    assert sorted(row["run_id"] for row in read_table(tmp_path, "purged")) == ["0", "1", "3", "4"]
    with monkeypatch.context() as patch:
        again = [table.compact]
        patch.setattr(compaction, "_write", meet(lambda: again and again.pop()()))
        with pytest.raises(TableWriteError, match="purged cannot be written"):
            table.compact()
    assert sorted(row["run_id"] for row in read_table(tmp_path, "purged")) == ["0", "1", "3", "4"]


def test_compaction_beside_what_its_process_writes_loses_and_doubles_nothing(
    tmp_path: Path,
) -> None:
    """Rows are appended and deleted all the while, some by hand."""
    table = purged_table(tmp_path)
    n_rows, over = 60, threading.Event()
    deleted = [n for n in range(n_rows - 3) if n % 7 == 3]

    def append(n: int) -> None:
        row = tombstones([(f"{n}", "p", None)])
        if n % 5:
            table.append(row)
        else:
            write_deltalake(tmp_path / "purged", row, mode="append")
        if n - 3 in deleted:
            assert table.delete(pa.table({"run_id": [f"{n - 3}"]})) == 1

    def compact() -> int:
        times = 0
        while not over.is_set():
            with suppress(TableWriteError):  # a delete was faster
                times += table.compact().compacted > 0
        return times

    with ThreadPoolExecutor(2) as pool:
        compacting = pool.submit(compact)
        appending = [pool.submit(append, n) for n in range(n_rows)]
        for one in appending:
            one.result()
        over.set()
        assert compacting.result() > 1
    expected = sorted(f"{n}" for n in range(n_rows) if n not in deleted)
    assert sorted(row["run_id"] for row in read_table(tmp_path, "purged")) == expected
