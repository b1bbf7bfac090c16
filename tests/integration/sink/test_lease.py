"""A lake on a file system without locks: Hadoop's view of folders, under a scheme of its own."""

from __future__ import annotations

import errno
import fcntl
import socket
import threading
import time
import uuid
from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pyarrow as pa
import pytest
from conformare_sink.lake.delete import RUN_KEY, Keys
from py4j.protocol import Py4JJavaError
from pyspark.sql import SparkSession
from pyspark.sql import functions as F
from support.checker import check, read_table
from support.produce import messages_of
from support.records import Record, make_record

from conformare_schemas import topic_name
from conformare_sink.errors import LakeBusyError, LakeRefusedError, TableWriteError
from conformare_sink.lake.lake import Lake, open_for_writing
from conformare_sink.lake.tables.folder import Folder
from conformare_sink.lake.tables.tables import LakeTables
from conformare_sink.lake.writer import lease as writer_lease
from conformare_sink.lake.writer.lease import LEASE_FILE, leased
from conformare_sink.lake.writer.lock import sole_writer
from conformare_sink.messages.assembly import assemble, table_rows
from conformare_sink.messages.decode import decode
from conformare_sink.messages.emission import RunKey
from conformare_sink.messages.message import Message

PREFIX = "lease."
LOOKS = 200
"""Of a holder at its lease; a few are enough where it is renewed all the while."""


@pytest.fixture
def tables(spark: SparkSession, tmp_path: Path) -> Iterator[LakeTables]:
    """A lake that is reached by `viewfs://`, and lies in the test's folder."""
    hadoop = spark.sparkContext._jsc.hadoopConfiguration()
    view = f"v{uuid.uuid4().hex}"
    link = f"fs.viewfs.mounttable.{view}.link./lakes"
    hadoop.set(link, tmp_path.as_uri())
    yield LakeTables(spark, f"viewfs://{view}/lakes/lake")
    hadoop.unset(link)


@pytest.fixture(autouse=True)
def impatience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second without a sign of life is death."""
    monkeypatch.setattr(writer_lease, "DEAD_SECONDS", 1.0)
    monkeypatch.setattr(writer_lease, "RENEW_SECONDS", 0.2)


def rows_of(record: Record, emission_id: str) -> dict[str, pa.Table]:
    """The rows of a record, as its emission brings them."""
    messages = [
        Message(m.key, m.value, topic_name(m.grain, PREFIX), 0, offset, offset)
        for offset, m in enumerate(messages_of(record, emission_id))
    ]
    decoded = decode(messages, PREFIX)
    return table_rows(decoded, list(assemble(decoded.envelopes).values()))


def test_a_living_writer_is_named_and_a_dead_one_taken_over(
    tables: LakeTables, tmp_path: Path
) -> None:
    """Whoever ends in order leaves no lease."""
    lease = tmp_path / "lake" / LEASE_FILE
    with open_for_writing(tables, "a test"):
        assert lease.exists()
        with (
            pytest.raises(LakeBusyError, match="is being written by a test, process"),
            open_for_writing(tables, "another"),
        ):
            pass
    assert not lease.exists()
    lease.write_text('{"holder": "a dead one", "id": "1", "renewals": 3}')
    with open_for_writing(tables, "a test") as lake:
        record = make_record("run-1")
        lake.land(rows_of(record, "e1"), [RunKey("pipeline", "run-1")])
    assert check(tmp_path / "lake", [record]).is_sound


def test_a_lease_that_is_just_being_written_is_nobody_elses(
    tables: LakeTables, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither does its holder take it for that, nor is one who is refused told no name."""
    folder = Folder(tables.spark, tables.root)
    with monkeypatch.context() as patch:
        patch.setattr(writer_lease, "RENEW_SECONDS", 0.0)
        with leased(folder, "the lake", "a test") as confirm:
            for _ in range(LOOKS):
                confirm()
    lease = tmp_path / "lake" / LEASE_FILE
    lease.write_text('{"holder": "a test", "id": "1", "renewals": 3}')
    meanwhile = iter(("", '{"holder": "a test", "id": "1", "renewals": 4}'))
    with monkeypatch.context() as patch:
        patch.setattr(time, "sleep", lambda _: lease.write_text(next(meanwhile)))
        with (
            pytest.raises(LakeBusyError, match="is being written by a test"),
            leased(folder, "the lake", "another"),
        ):
            pass


def test_a_lease_that_is_gone_was_taken_over(
    tables: LakeTables, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By somebody who has ended since, while its holder was suspended."""
    monkeypatch.setattr(writer_lease, "RENEW_SECONDS", 3600.0)
    with leased(Folder(tables.spark, tables.root), "the lake", "a test") as confirm:
        confirm()
        (tmp_path / "lake" / LEASE_FILE).unlink()
        with pytest.raises(LakeBusyError, match="was taken over by another process"):
            confirm()


class Failing(Folder):
    """A folder that cannot be read at first."""

    def __init__(self, spark: SparkSession, location: str) -> None:
        super().__init__(spark, location)
        self.is_well = False
        self.failed, self.answered = threading.Semaphore(0), threading.Semaphore(0)

    def read_text(self, name: str) -> str:
        """Read a file, or what is none."""
        is_well = self.is_well
        try:
            return super().read_text(name if is_well else ".")
        finally:
            (self.answered if is_well else self.failed).release()


def test_a_lease_that_cannot_be_read_is_renewed_when_it_can(
    tables: LakeTables, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A file system that does not answer is no other writer."""
    monkeypatch.setattr(writer_lease, "DEAD_SECONDS", 60.0)
    folder = Failing(tables.spark, tables.root)
    with leased(folder, "the lake", "a test") as confirm:
        with pytest.raises(Py4JJavaError, match="Is a directory"):
            confirm()
        assert all(folder.failed.acquire(timeout=20) for _ in range(3))
        folder.is_well = True
        assert all(folder.answered.acquire(timeout=20) for _ in range(2))
        with (
            pytest.raises(LakeBusyError, match="is being written by a test"),
            leased(Folder(tables.spark, tables.root), "the lake", "another"),
        ):
            pass
    assert "the lease of the lake was not renewed: java.io.FileNotFoundException" in caplog.text


def test_a_writer_that_was_believed_dead_lands_nothing_more(
    tables: LakeTables, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was suspended, and goes on after another has taken over."""
    records = {run_id: make_record(run_id) for run_id in ("run-1", "run-2")}

    def land(lake: Lake, run_id: str, emission_id: str) -> None:
        lake.land(rows_of(records[run_id], emission_id), [RunKey("pipeline", run_id)])

    with monkeypatch.context() as patch:
        patch.setattr(writer_lease, "RENEW_SECONDS", 3600.0)
        suspended = open_for_writing(tables, "the suspended one")
        first = suspended.__enter__()
    land(first, "run-1", "e1")
    for table in [*first._append.values()] * 3:
        table.next_turn()  # as if a commit had not come through
    with open_for_writing(tables, "the next one") as lake:
        with pytest.raises(TableWriteError, match="ConcurrentTransaction"):
            land(first, "run-2", "e2")
        assert {row["run_id"] for row in read_table(tmp_path / "lake", "risks")} == {"run-1"}
        land(lake, "run-2", "e3")
    suspended.__exit__(None, None, None)
    with open_for_writing(tables, "a third one"):
        assert check(tmp_path / "lake", records.values()).is_sound


def break_off(lake: Lake, rows: dict[str, pa.Table], run: RunKey) -> None:
    """Land a run but for its row in `runs`, which has a column too few."""
    with pytest.raises(KeyError):
        lake.land({**rows, "runs": rows["runs"].drop_columns("run_id")}, [run])


def test_a_writer_that_was_believed_dead_deletes_nothing_more(
    tables: LakeTables, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It knew what to remove when it was suspended, and another has landed it since."""
    record, run = make_record("run-1"), RunKey("pipeline", "run-1")
    with monkeypatch.context() as patch:
        patch.setattr(writer_lease, "RENEW_SECONDS", 3600.0)
        suspended = open_for_writing(tables, "the suspended one")
        first = suspended.__enter__()
    break_off(first, rows_of(record, "e1"), run)

    def be_suspended(spark: SparkSession, runs: Collection[RunKey]) -> Keys:
        patch.undo()
        with open_for_writing(tables, "the next one") as lake:
            lake.land(rows_of(record, "e2"), [run])
        return Keys.of_runs(spark, runs)

    with monkeypatch.context() as patch:
        patch.setattr(Keys, "of_runs", be_suspended)
        with pytest.raises(TableWriteError, match="another writer has taken the lake over"):
            first.recover()
    suspended.__exit__(None, None, None)
    with open_for_writing(tables, "a third one"):
        assert check(tmp_path / "lake", [record]).is_sound


def test_a_delete_that_is_under_way_when_another_takes_over_is_refused(tables: LakeTables) -> None:
    """It had looked at the table before; the table's log tells."""
    with (
        open_for_writing(tables, "a test") as lake,
        socket.create_server(("127.0.0.1", 0)) as listener,
        ThreadPoolExecutor(1) as pool,
    ):
        address = listener.getsockname()

        def when_told(run_id: str) -> str:
            # Only the first look at the keys waits; for the others, nobody is there any more.
            with suppress(OSError), socket.create_connection(address) as first:
                first.recv(1)
            return run_id

        # Spark cannot read annotations that are text.
        waiting = F.udf(lambda run_id: when_told(run_id), "string")("run_id")  # noqa: PLW0108
        frame = tables.spark.createDataFrame([("run-1", "pipeline")], RUN_KEY)
        keys = Keys(frame.withColumn("run_id", waiting), {"run_id": ("run-1", "run-1")})
        lake.land(rows_of(make_record("run-1"), "e1"), [RunKey("pipeline", "run-1")])
        deleting = pool.submit(lake.delete, "risks", keys)
        listener.settimeout(60)
        with listener.accept()[0]:
            listener.close()
            LakeTables(tables.spark, tables.root).open()["risks"].fence()
        with pytest.raises(TableWriteError, match="ConcurrentTransaction"):
            deleting.result()


@pytest.mark.parametrize("number", [errno.ENOTSUP, errno.ENOSYS, errno.EINVAL])
def test_a_mount_of_this_machine_that_has_no_locks_has_a_lease(
    spark: SparkSession, lake: str, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """Its path tells nothing of that; what tells is that it cannot be locked."""

    def refuse(*_: object) -> None:
        raise OSError(number, "no locks here")

    monkeypatch.setattr(fcntl, "flock", refuse)
    monkeypatch.setattr(writer_lease, "DEAD_SECONDS", 60.0)
    with sole_writer(spark, lake, "a test") as hold:
        hold.confirm()
        assert hold.can_be_lost
        with (
            pytest.raises(LakeBusyError, match="is being written by a test, process"),
            sole_writer(spark, lake, "another"),
        ):
            pass
    assert not Path(lake, LEASE_FILE).exists()


def test_a_mount_whose_locks_do_not_answer_is_refused(
    spark: SparkSession, lake: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another machine may hold its lock, and would not see a lease."""

    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    with (
        pytest.raises(LakeRefusedError, match="cannot be locked: No locks available"),
        sole_writer(spark, lake, "a test"),
    ):
        pass
