"""A lake stays small, beside a sink and without one, and its readers notice nothing."""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pyarrow as pa
import pytest
from conformare_sink.lake.append import FolderTable
from deltalake import DeltaTable
from support.checker import check, read_table
from support.produce import messages_of
from support.records import Record, make_record
from support.store import Store

from conformare.cli import main
from conformare_schemas import GRAINS, topic_name
from conformare_sink.errors import RetentionTooShortError
from conformare_sink.lake import maintenance
from conformare_sink.lake.lake import open_for_writing
from conformare_sink.lake.maintenance import Maintenance, MaintenanceReport
from conformare_sink.lake.tables.own import PURGED
from conformare_sink.landing.landing import Landing
from conformare_sink.landing.pending import PendingMessages
from conformare_sink.landing.report import BatchReport
from conformare_sink.messages.emission import Decision
from conformare_sink.messages.message import Message
from conformare_sink.stream.stream import SinkStream

PATIENCE_SECONDS = 300
LOOKED_AT = ("runs", "risks", "pending")
"""Tables that these tests maintain: each takes seconds, and all are treated alike."""
DAYS = 24 * 3600.0


@pytest.fixture(autouse=True)
def few_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look after a table that clusters, one beside it, and one that does not cluster."""
    monkeypatch.setattr(maintenance, "LAKE_TABLES", LOOKED_AT)


def kafka_messages(record: Record, prefix: str, first_offset: int) -> list[Message]:
    """The messages of a record as Kafka would deliver them."""
    emission = f"e-{record['runs'][0]['run_id']}"
    return [
        Message(m.key, m.value, topic_name(m.grain, prefix), 0, first_offset + n, first_offset + n)
        for n, m in enumerate(messages_of(record, emission))
    ]


def live_files(store: Store, table: str) -> int:
    """Files of which a table consists."""
    return len(DeltaTable(str(Path(store.lake, table))).file_uris())


def data_files(store: Store, table: str) -> int:
    """Files of data that are on the disk."""
    return len([*Path(store.lake, table).glob("*.parquet")])


def commits(store: Store, table: str) -> int:
    """Commits that are on the disk."""
    return len([*Path(store.lake, table, "_delta_log").glob("*.json")])


def grow_old(path: Path) -> None:
    """Let a file or a folder, and all that is in it, be of ten days ago."""
    then = time.time() - 10 * DAYS
    for one in (*path.rglob("*"), path):
        os.utime(one, (then, then))


def test_small_files_old_files_and_what_is_settled_go(
    store: Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """And the lake can be landed in as before."""
    prefix = store.options.topic_prefix
    records = [make_record(f"run-{n}") for n in range(7)]
    messages = [kafka_messages(record, prefix, 100 * n) for n, record in enumerate(records)]
    with open_for_writing(store.tables, "a test") as lake:
        landing = Landing(lake, PendingMessages(), prefix)
        for part in (*messages[:4], messages[4][:3], messages[4][3:], messages[5][:3]):
            landing.land(part)
        assert {live_files(store, grain) for grain in GRAINS} == {5}
        assert len(read_table(store.lake, "pending")) == 6

        risks, root = Path(store.lake, "risks"), Path(store.lake)
        (risks / "of-a-writer-that-crashed.parquet").touch()
        for name in ("_replay-killed", "_replay-running"):
            (root / name / "offsets").mkdir(parents=True)
            (root / name / "offsets" / "0").touch()
        for old in (risks / "of-a-writer-that-crashed.parquet", root / "_replay-killed"):
            grow_old(old)
        grow_old(risks / "_delta_log")
        before = data_files(store, "risks"), commits(store, "risks")
        report = Maintenance(lake).run_once()

        assert report.faults == []
        assert [live_files(store, table) for table in LOOKED_AT] == [1, 1, 1]
        done = {table.table: table for table in report.tables}
        assert (done["runs"].compacted, done["runs"].compacted_into) == (5, 1)
        assert (done["risks"].deleted, done["runs"].deleted) == (1, 0)
        assert (data_files(store, "risks"), commits(store, "risks")) == (before[0], 1)
        assert done["risks"].log_deleted >= before[1] == 6
        assert (report.settled, report.left_over) == (3, 1)
        assert {row["run_id"] for row in read_table(store.lake, "pending")} == {"run-5"}
        assert [path.name for path in root.glob("_replay-*")] == ["_replay-running"]

        with monkeypatch.context() as patch:
            unwanted = "conformare_sink.lake.lake.read_digests"
            patch.setattr(unwanted, lambda *_: pytest.fail("everything is read again"))
            landing.land([*messages[5][3:], *messages[6], *messages[0]])
    assert check(store.lake, records).is_sound
    assert live_files(store, "runs") == 2

    monkeypatch.setattr(
        "conformare_sink.cli.maintain.opened_lake",
        lambda _root, _catalog, purpose: open_for_writing(store.tables, purpose),
    )
    assert main(["maintain", "--lake", store.lake]) == 0
    assert "4 file(s) put together into 2" in capsys.readouterr().out
    assert check(store.lake, records).is_sound


def test_bytes_leave_the_disk_when_the_retention_is_over_and_never_before(store: Store) -> None:
    """What Delta allows is a property of the table."""
    with open_for_writing(store.tables, "a test") as lake:
        with pytest.raises(RetentionTooShortError, match="a retention of 1 h is shorter"):
            Maintenance(lake, retention_hours=1).run_once()
        risks = store.tables.identifier("risks")
        assert data_files(store, "risks") > 1
        property_of = "ALTER TABLE {} SET TBLPROPERTIES ('{}' = '{}')"
        name = "delta.deletedFileRetentionDuration"
        store.spark.sql(property_of.format(risks, name, "interval 0 hours"))
        Maintenance(lake)._vacuum("risks", risks)
        assert data_files(store, "risks") > 1
        Maintenance(lake, retention_hours=0)._vacuum("risks", risks)
        assert data_files(store, "risks") == 1
    assert len(read_table(store.lake, "risks")) == 7 * 5


def test_a_table_that_is_appended_to_for_long_is_read_from_its_checkpoints_on(
    store: Store,
) -> None:
    """Not from where its writer opened it."""
    identifier = store.tables.identifier("purged")
    store.spark.sql(
        f"ALTER TABLE {identifier} SET TBLPROPERTIES ('delta.checkpointInterval' = '2')"
    )
    table = FolderTable(store.spark, f"{store.lake}/purged", PURGED.skipping)
    now = pa.array([datetime.now(timezone.utc)], pa.timestamp("us", "UTC"))
    rows = pa.table({"run_id": ["r"], "pipeline": ["none"], "purged_at": now})
    for _ in range(5):
        table.append(rows)
    assert table._load().getLogSegment().getDeltas().size() < 2


def test_maintenance_beside_a_running_sink_loses_and_doubles_nothing(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Runs come in pieces meanwhile, so that all tables are written, `pending` too."""
    records = [make_record(f"live-{n}") for n in range(24)]
    pieces = [m for n, record in enumerate(records) for m in messages_of(record, f"live-{n}")]
    random.Random(3).shuffle(pieces)  # noqa: S311 - the same order every time
    landed, rounds = [0], list[MaintenanceReport]()
    all_landed, twice = threading.Event(), threading.Event()
    run_once = Maintenance.run_once

    def report(batch: BatchReport) -> None:
        landed[0] += batch.emissions[Decision.LAND]
        if landed[0] == len(records):
            all_landed.set()

    def watched(maintenance: Maintenance, is_over: Callable[[], bool]) -> MaintenanceReport:
        rounds.append(run_once(maintenance, is_over))
        if len(rounds) > 1 and any(table.compacted for round_ in rounds for table in round_.tables):
            twice.set()
        return rounds[-1]

    monkeypatch.setattr(Maintenance, "run_once", watched)
    # The first round may be over before anything has landed.
    monkeypatch.setattr(maintenance, "LEAST_COMMITS", 1)
    stream = SinkStream(store.spark, store.options, report)
    arguments = ("200 milliseconds", timedelta(milliseconds=100))
    running = threading.Thread(target=stream.run, args=arguments, daemon=True)
    running.start()
    while pieces and not twice.is_set():
        store.topic.send([pieces.pop()])
    store.topic.send(pieces)
    assert all_landed.wait(PATIENCE_SECONDS)
    assert twice.wait(PATIENCE_SECONDS)
    stream.stop()
    running.join(PATIENCE_SECONDS)
    assert not running.is_alive()
    assert [fault for round_ in rounds[:-1] for fault in round_.faults] == []
    everything = [make_record(f"run-{n}") for n in range(7)] + records
    assert check(store.lake, everything).is_sound
    assert read_table(store.lake, "quarantine") == []
