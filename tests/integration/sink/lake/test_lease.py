"""A lake whose store has no locks: one writer at a time by a lease, and by a fence in every commit."""

from __future__ import annotations

import errno
import fcntl
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pytest
from support.lakes.checker import check
from support.lakes.landed import (
    PREFIX,
    fetch,
    kafka_messages,
    land,
    new_path,
    run_of,
    tables_at,
    tables_in,
)
from support.messages.records import make_record
from support.servers.network import Network, commit_of, network
from support.servers.object_store import ObjectStore

from conformare_schemas import arrow_schema
from conformare_sink.errors import LakeBusyError, LakeRefusedError, StorageError, TableWriteError
from conformare_sink.lake.lake import Lake, open_for_writing
from conformare_sink.lake.landings import run_keys
from conformare_sink.lake.layout import LEASE_FILE
from conformare_sink.lake.store.storage import Storage
from conformare_sink.lake.tables.folder import FolderTables
from conformare_sink.lake.tables.own import PURGED
from conformare_sink.lake.tables.tables import LakeTables, select_rows
from conformare_sink.lake.writer import lease as writer_lease
from conformare_sink.lake.writer.lease import leased
from conformare_sink.lake.writer.lock import sole_writer
from conformare_sink.messages.decode import decode
from conformare_sink.messages.envelope import Rejected

LOOKS = 100
"""Of a holder at its lease while it is renewed all the time."""
PATIENCE_SECONDS = 60
FIRST, SECOND = make_record("run-1"), make_record("run-2")
TOMBSTONE = pa.table([["run-9"], ["pipeline"], [None]], schema=arrow_schema(PURGED.columns))


@pytest.fixture
def path() -> str:
    """Where in the bucket the test's lake is."""
    return new_path()


@pytest.fixture
def tables(object_store: ObjectStore, path: str) -> LakeTables:
    """The tables of a lake in the object store."""
    return tables_at(object_store, path)


@pytest.fixture(autouse=True)
def impatience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second without a sign of life is death."""
    monkeypatch.setattr(writer_lease, "DEAD_SECONDS", 1.0)
    monkeypatch.setattr(writer_lease, "RENEW_SECONDS", 0.2)


@contextmanager
def suspended(tables: LakeTables) -> Iterator[Lake]:
    """Open a lake by a writer that renews its lease no more, as if it was suspended."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(writer_lease, "RENEW_SECONDS", 3600.0)
        opened = open_for_writing(tables, "the suspended one")
        lake = opened.__enter__()
    try:
        yield lake
    finally:
        opened.__exit__(None, None, None)


@contextmanager
def by_network(store: ObjectStore, path: str) -> Iterator[tuple[Network, LakeTables]]:
    """Have a network to a lake, over which requests are given up after two seconds."""
    with network(store.endpoint) as way:
        given = {**store.behind(way.endpoint).storage_options, "AWS_TIMEOUT": "2s"}
        yield way, FolderTables(Storage(store.url(path), given))


def run_ids(tables: LakeTables, table: str) -> list[str]:
    """The run_id of each row of a table."""
    sql = f"SELECT run_id FROM {table}"  # noqa: S608 - a name of ours
    return sorted(row["run_id"] for row in select_rows(tables, sql, table))


def test_a_living_writer_is_named_and_a_dead_one_taken_over(
    tables: LakeTables, object_store: ObjectStore, path: str, tmp_path: Path
) -> None:
    """Whoever ends in order leaves no lease."""
    with open_for_writing(tables, "a test"):
        assert tables.storage.read(LEASE_FILE) is not None
        with (
            pytest.raises(LakeBusyError, match="is being written by a test, process"),
            open_for_writing(tables, "another"),
        ):
            pass
    assert tables.storage.read(LEASE_FILE) is None
    tables.storage.write(LEASE_FILE, b'{"holder": "a dead one", "id": "1", "renewals": 3}')
    with open_for_writing(tables, "a test") as lake:
        land(lake, FIRST)
    assert check(fetch(object_store, path, tmp_path), [FIRST]).is_sound


def test_a_lease_that_is_just_being_renewed_is_its_holders(
    tables: LakeTables, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither does he take it for another's, nor is one who is refused told no name."""
    monkeypatch.setattr(writer_lease, "RENEW_SECONDS", 0.0)
    with leased(tables.storage, "a test") as confirm:
        for _ in range(LOOKS):
            confirm()
        with (
            pytest.raises(LakeBusyError, match="is being written by a test"),
            leased(tables.storage, "another"),
        ):
            pass


def test_a_lease_that_is_gone_was_taken_over(tables: LakeTables) -> None:
    """By somebody who has ended since, while its holder was suspended."""
    with suspended(tables) as lake:
        tables.storage.remove(LEASE_FILE)
        with pytest.raises(LakeBusyError, match="was taken over by another process"):
            land(lake, FIRST)


def test_a_lease_that_cannot_be_read_is_renewed_when_it_can(
    object_store: ObjectStore,
    path: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A store that does not answer is no other writer."""
    monkeypatch.setattr(writer_lease, "DEAD_SECONDS", 60.0)
    failed, renewed = threading.Event(), threading.Event()
    renew = writer_lease._Lease.renew

    def watched(lease: writer_lease._Lease) -> bool:
        told = len(caplog.records)
        is_ours = renew(lease)
        (failed if len(caplog.records) > told else renewed).set()
        return is_ours

    monkeypatch.setattr(writer_lease._Lease, "renew", watched)
    with (
        by_network(object_store, path) as (way, tables),
        leased(tables.storage, "a test") as confirm,
    ):
        way.cut()
        with pytest.raises(StorageError, match="the store does not answer"):
            confirm()
        assert failed.wait(PATIENCE_SECONDS)
        way.mend()
        renewed.clear()
        assert renewed.wait(PATIENCE_SECONDS)
        with (
            pytest.raises(LakeBusyError, match="is being written by a test"),
            leased(tables_at(object_store, path).storage, "another"),
        ):
            pass
    assert "the lease was not renewed: " in caplog.text


def test_a_writer_that_was_believed_dead_writes_nothing_more(
    tables: LakeTables, object_store: ObjectStore, path: str, tmp_path: Path
) -> None:
    """It was suspended, and goes on after another has taken over."""
    messages = kafka_messages(SECOND)
    waiting = decode(messages, PREFIX).envelopes
    with suspended(tables) as first:
        land(first, FIRST, emission_id="e1")
        with open_for_writing(tables, "the next one") as lake:
            for write in (
                lambda: land(first, SECOND, emission_id="e2"),
                lambda: first.delete("risks", run_keys([run_of(FIRST)])),
                lambda: first.note_read({"a:0": 7}),
                lambda: first.append("purged", TOMBSTONE),
                first.recover,
                lambda: first.keep_waiting(waiting),
                lambda: first.quarantine([Rejected(message, "a cause") for message in messages]),
            ):
                with pytest.raises(LakeBusyError, match="was taken over by another writer"):
                    write()
            assert {*run_ids(tables, "risks")} == {"run-1"}
            assert run_ids(tables, "pending") == []
            assert lake.read_to(["a:0"]) == {}
            land(lake, SECOND, emission_id="e3")
    with open_for_writing(tables, "a third one"):
        pass
    assert check(fetch(object_store, path, tmp_path), [FIRST, SECOND]).is_sound


def test_a_commit_of_runs_that_is_let_go_after_another_has_taken_over_is_refused(
    object_store: ObjectStore, path: str, tables: LakeTables, tmp_path: Path
) -> None:
    """The successor has landed the same run meanwhile."""
    with (
        by_network(object_store, path) as (way, far),
        suspended(far) as first,
        ThreadPoolExecutor(1) as pool,
    ):
        held = way.hold(commit_of("runs"))
        landing = pool.submit(land, first, FIRST, emission_id="e1")
        held.wait(PATIENCE_SECONDS)
        with open_for_writing(tables, "the next one") as lake:
            land(lake, FIRST, emission_id="e2")
            held.let_go()
            assert held.status(PATIENCE_SECONDS) == 412
            with pytest.raises(LakeBusyError, match="was taken over by another writer"):
                landing.result(PATIENCE_SECONDS)
    assert run_ids(tables, "runs") == ["run-1"]
    assert check(fetch(object_store, path, tmp_path), [FIRST]).is_sound


def test_a_delete_that_is_under_way_when_another_takes_over_is_refused(
    object_store: ObjectStore, path: str, tables: LakeTables
) -> None:
    """It had looked at the table before."""
    with (
        by_network(object_store, path) as (way, far),
        suspended(far) as first,
        ThreadPoolExecutor(1) as pool,
    ):
        land(first, FIRST)
        held = way.hold(commit_of("risks"))
        deleting = pool.submit(first.delete, "risks", run_keys([run_of(FIRST)]))
        held.wait(PATIENCE_SECONDS)
        with open_for_writing(tables, "the next one"):
            held.let_go()
            with pytest.raises(LakeBusyError, match="was taken over by another writer"):
                deleting.result(PATIENCE_SECONDS)
    assert len(run_ids(tables, "risks")) == 5


@pytest.mark.parametrize("table", ["runs", "risks"])
def test_a_commit_whose_answer_is_lost_counts_once(
    object_store: ObjectStore, path: str, tmp_path: Path, table: str
) -> None:
    """The library tries again, and is told that somebody was faster."""
    with by_network(object_store, path) as (way, tables), open_for_writing(tables, "a") as lake:
        lost = way.lose_answer(commit_of(table))
        land(lake, FIRST)
        assert lost.status(PATIENCE_SECONDS) == 200
        land(lake, SECOND)
    assert check(fetch(object_store, path, tmp_path), [FIRST, SECOND]).is_sound


@pytest.mark.parametrize("table", ["runs", "risks"])
@pytest.mark.parametrize("is_new_process", [True, False])
def test_a_commit_that_was_given_up_never_lands_behind_who_goes_on(
    object_store: ObjectStore, path: str, tmp_path: Path, table: str, is_new_process: bool
) -> None:
    """Its request is still on its way when the next one opens the lake, or the same recovers."""
    near = tables_at(object_store, path)
    with by_network(object_store, path) as (way, far), suspended(far) as first:
        held = way.hold(commit_of(table))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("conformare_sink.lake.tables.fenced_log.ATTEMPTS", 1)
            with pytest.raises(TableWriteError, match="does not answer"):
                land(first, FIRST, emission_id="e1")
        if is_new_process:
            with open_for_writing(near, "the next one") as lake:
                held.let_go()
                assert held.status(PATIENCE_SECONDS) == 412
                land(lake, FIRST, SECOND)
        else:
            first.recover()
            held.let_go()
            assert held.status(PATIENCE_SECONDS) == 412
            land(first, FIRST, SECOND)
    assert check(fetch(object_store, path, tmp_path), [FIRST, SECOND]).is_sound


@pytest.mark.parametrize("number", [errno.ENOTSUP, errno.ENOSYS, errno.EINVAL])
def test_a_mount_of_this_machine_that_has_no_locks_has_a_lease(
    lake: str, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """Its path tells nothing of that; what tells is that it cannot be locked."""

    def refuse(*_: object) -> None:
        raise OSError(number, "no locks here")

    monkeypatch.setattr(fcntl, "flock", refuse)
    monkeypatch.setattr(writer_lease, "DEAD_SECONDS", 60.0)
    tables = tables_in(lake)
    with open_for_writing(tables, "a test") as opened:
        land(opened, FIRST)
        with (
            pytest.raises(LakeBusyError, match="is being written by a test, process"),
            sole_writer(tables.storage, "another"),
        ):
            pass
    assert not Path(lake, LEASE_FILE).exists()
    assert check(lake, [FIRST]).is_sound


def test_a_mount_whose_locks_do_not_answer_is_refused(
    lake: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another machine may hold its lock, and would not see a lease."""

    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    with (
        pytest.raises(LakeRefusedError, match="cannot be locked: No locks available"),
        sole_writer(tables_in(lake).storage, "a test"),
    ):
        pass
