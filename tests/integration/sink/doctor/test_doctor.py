"""`conformare doctor` against real brokers, lakes and stores: good ones, dead ones and hung ones."""

from __future__ import annotations

import json
import os
import shutil
import socket
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient
from support.lakes.landed import land, new_path, tables_at, tables_in
from support.messages.produce import Topic, messages_of
from support.messages.records import make_record
from support.servers.network import network
from support.servers.object_store import PASSWORD, ObjectStore

from conformare.cli import main
from conformare_schemas.findings import Asked, Finding
from conformare_sink.broker.broker import EmbeddedBroker
from conformare_sink.doctor.examination import CHECK_SECONDS, Check, examine
from conformare_sink.kafka.topics import Topics
from conformare_sink.lake.lake import open_for_writing
from conformare_sink.lake.layout import LEASE_FILE, LOCK_FILE
from conformare_sink.lake.tables.folder import FolderTables

WRONG = "a-secret-of-nobody"
OTHERS = 65_534
"""The user that nobody is."""
SOME_MORE_SECONDS = 4.0
"""To print and to end, on a machine that does something else as well."""

Report = dict[str, list[tuple[str, str]]]


class Doctor:
    """The command, in this process."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *arguments: str) -> tuple[int, Report]:
        """Call it."""
        began = time.monotonic()
        code = main(["doctor", "--json", *arguments])
        assert time.monotonic() - began < CHECK_SECONDS + SOME_MORE_SECONDS
        report: Report = {}
        for one in json.loads(self._capsys.readouterr().out)["findings"]:
            report.setdefault(one["part"], []).append((one["state"], one["line"]))
        return code, report


@pytest.fixture
def doctor(capsys: pytest.CaptureFixture[str]) -> Doctor:
    """Calls it, and returns its exit code and what it found of each part: state and line."""
    return Doctor(capsys)


def make_lake(tables: FolderTables) -> None:
    """Land a run."""
    with open_for_writing(tables, "a test") as lake:
        land(lake, make_record("run-1"))


def _impatient(checks: Sequence[Check], asked: Asked) -> Iterator[Finding]:
    """Wait for two seconds only."""
    return examine(checks, asked, 2.0)


@contextmanager
def hung() -> Iterator[str]:
    """A server that takes every connection and says nothing."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


def states(report: Report, *parts: str) -> list[list[str]]:
    """The states of some parts."""
    return [[state for state, _ in report[part]] for part in parts]


def reach(topics: Topics) -> list[str]:
    """The options that lead to topics."""
    prefix = topics.names[0].removesuffix("contexts")
    return ["--bootstrap-servers", topics.bootstrap_servers, "--topic-prefix", prefix]


def store_file(folder: Path, store: ObjectStore, **changed: str) -> Sequence[str]:
    """The option by which a store is reached."""
    file = folder / "store.properties"
    settings = {**store.storage_options, **changed}
    file.write_text("".join(f"{name}={value}\n" for name, value in settings.items()), "utf-8")
    return ["--storage-options", str(file)]


def groups(broker: EmbeddedBroker) -> set[str]:
    """The consumer groups of a cluster."""
    admin = AdminClient({"bootstrap.servers": broker.bootstrap_servers})
    return {group.group_id for group in admin.list_consumer_groups().result(30).valid}


@pytest.mark.parametrize("role", ["sink", "job"])
def test_all_is_well_and_nothing_is_left_behind(
    role: str, broker: EmbeddedBroker, topics: Topics, lake: str, doctor: Doctor
) -> None:
    """Neither on the topics, nor among the groups, nor in the lake."""
    Topic(topics.bootstrap_servers, topics.names[0].removesuffix("contexts")).send(
        messages_of(make_record("run-1"), "e-1")
    )
    make_lake(tables_in(lake))
    before = (topics.ends(), topics.starts(), groups(broker))
    files = sorted(Path(lake).rglob("*"))

    code, report = doctor(*reach(topics), "--lake", lake, "--role", role)

    assert code == 0
    assert (topics.ends(), topics.starts(), groups(broker)) == before
    assert sorted(Path(lake).rglob("*")) == files
    assert states(report, "broker", "clock of the broker", "writer of the lake", "maintenance") == [
        ["good"] * 3,
        ["good"],
        ["good"],
        ["good"],
    ]
    assert ("good", "it is Kafka 4.1") in report["broker"]
    assert "partition(s) each, kept for 365 day(s), LogAppendTime" in report["topics"][-1][1]
    told = "Read" if role == "sink" else "Write"
    assert report["permissions"][0][0] == "good"
    assert report["permissions"][0][1].startswith(f"this user may {told} {topics.names[0]}")
    was_read = f"of {topics.names[4]} was read: a message"
    assert any(was_read in line for _, line in report["permissions"]) == (role == "sink")
    written = any("was written to" in line for _, line in report["lake"])
    assert written == (role == "sink")
    assert report["clock of the store"][0][0] == ("good" if role == "sink" else "not checked")


def test_a_wrong_port_is_told_and_hides_nothing_else(lake: str, doctor: Doctor) -> None:
    """What needs the broker is not looked at."""
    make_lake(tables_in(lake))
    code, report = doctor("--bootstrap-servers", "127.0.0.1:1", "--lake", lake)
    assert code == 1
    ((state, line),) = report["broker"]
    assert state == "mend"
    assert line == (
        "no Kafka broker answers at 127.0.0.1:1 (waited 4 s): start the broker, or correct "
        "--bootstrap-servers"
    )
    assert states(report, "topics", "permissions", "clock of the broker") == [["not checked"]] * 3
    assert states(report, "maintenance") == [["good"]]


def test_what_hangs_costs_ten_seconds_all_together(
    tmp_path: Path, object_store: ObjectStore, doctor: Doctor
) -> None:
    """They take connections, and never answer."""
    with hung() as broker, hung() as dead, hung() as registry:
        code, report = doctor(
            *("--schema-registry-url", f"http://{registry}"),
            *("--bootstrap-servers", broker, "--lake", "s3://lakes/any"),
            *store_file(tmp_path, object_store, AWS_ENDPOINT_URL=f"http://{dead}"),
        )
    assert code == 1
    assert states(report, "python", "broker", "lake") == [["good"], ["mend"], ["mend"]]
    assert report["broker"][0][1].startswith(f"no Kafka broker answers at {broker}")
    assert report["registry"] == [
        (
            "mend",
            f"http://{registry} does not answer in time: start it, or correct --schema-registry-url",
        )
    ]
    assert "the store does not answer: correct AWS_ENDPOINT_URL" in report["lake"][0][1]


def test_missing_topics_are_told_with_their_command(
    broker: EmbeddedBroker, topic_prefix: str, doctor: Doctor
) -> None:
    """It is the one that makes them."""
    there = ["--bootstrap-servers", broker.bootstrap_servers, "--topic-prefix", topic_prefix]
    code, report = doctor(*there)
    assert code == 1
    ((state, line),) = report["topics"]
    assert state == "mend"
    assert f"call `conformare topics create {' '.join(there)}`" in line


def test_who_writes_to_a_lake_is_named(lake: str, doctor: Doctor) -> None:
    """A lake that is in use is well; its lock is where it was."""
    make_lake(tables_in(lake))
    with open_for_writing(tables_in(lake), "a sink of this test"):
        _, report = doctor("--lake", lake)
        ((state, line),) = report["writer of the lake"]
        assert (state, line.partition(",")[0]) == (
            "good",
            f"{lake} is being written by a sink of this test",
        )
    assert (Path(lake) / LOCK_FILE).exists()
    _, report = doctor("--lake", lake)
    assert report["writer of the lake"] == [("good", f"nobody writes to {lake}")]


def test_there_is_no_lake_yet(tmp_path: Path, doctor: Doctor) -> None:
    """The sink makes it; doctor does not."""
    lake = tmp_path / "new" / "lake"
    code, report = doctor("--lake", str(lake))
    assert code == 0
    assert report["lake"][0] == ("good", f"there is no {lake} yet, and this user may make it")
    assert not lake.parent.exists()


def test_a_folder_of_something_else_is_told(tmp_path: Path, doctor: Doctor) -> None:
    """The sink refuses it, and doctor writes its own object there for an instant only."""
    (tmp_path / "orders.csv").write_text("1", "utf-8")
    code, report = doctor("--lake", str(tmp_path))
    assert code == 1
    assert report["lake"][-1][0] == "mend"
    assert report["lake"][-1][1].startswith(f"{tmp_path} has orders.csv and no table of ours")
    assert [one.name for one in tmp_path.iterdir()] == ["orders.csv"]


def test_a_damaged_table_is_named(lake: str, doctor: Doctor) -> None:
    """The others are looked at all the same."""
    make_lake(tables_in(lake))
    newest = max((Path(lake) / "runs" / "_delta_log").glob("*.json"))
    newest.write_bytes(newest.read_bytes()[:20])
    shutil.rmtree(Path(lake) / "risks")
    code, report = doctor("--lake", lake)
    assert code == 1
    (line,) = [line for state, line in report["lake"] if state == "mend"]
    assert line.startswith(f"runs: {lake} cannot be used: ")
    assert "restore its folder from a backup" in line
    assert any("11 of 13 tables" in line for _, line in report["lake"])
    assert states(report, "writer of the lake", "maintenance") == [["good"], ["good"]]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes somebody else")
def test_a_table_that_cannot_be_written_is_told(doctor: Doctor) -> None:
    """The sink would find it out with its first run."""
    with tempfile.TemporaryDirectory() as lake:
        make_lake(tables_in(lake))
        assert doctor("--lake", lake)[0] == 0
        for path in (Path(lake), *Path(lake).rglob("*")):
            os.chown(path, OTHERS, OTHERS)
        (Path(lake) / "risks").chmod(0o555)
        os.seteuid(OTHERS)
        try:
            code, report = doctor("--lake", lake)
        finally:
            os.seteuid(0)
    assert code == 1
    assert ("mend", f"risks: this user may not write it: let it write {lake}/risks") in report[
        "lake"
    ]


def test_a_lake_in_an_object_store_is_written_to_and_left_as_it_was(
    tmp_path: Path, object_store: ObjectStore, doctor: Doctor
) -> None:
    """Its clock is told by what was written, and its lease by who renews it."""
    path = new_path()
    make_lake(tables_at(object_store, path))
    at = ["--lake", object_store.url(path), *store_file(tmp_path, object_store)]
    with open_for_writing(tables_at(object_store, path), "a sink of this test"):
        before = tables_at(object_store, path).storage.names()
        code, report = doctor(*at)
        assert tables_at(object_store, path).storage.names() == before
        assert LEASE_FILE in before
    assert code == 0
    assert states(report, "lake", "clock of the store") == [["good"] * 3, ["good"]]
    assert "is being written by a sink of this test" in report["writer of the lake"][0][1]


def test_a_store_that_does_not_let_us_in_is_told_without_the_secret(
    tmp_path: Path, object_store: ObjectStore, doctor: Doctor
) -> None:
    """What comes after is not looked at."""
    options = store_file(tmp_path, object_store, AWS_SECRET_ACCESS_KEY=WRONG)
    code, report = doctor("--lake", object_store.url("any"), *options)
    assert code == 1
    ((state, line),) = report["lake"]
    assert state == "mend"
    assert "correct AWS_SECRET_ACCESS_KEY" in line
    assert WRONG not in str(report)
    assert PASSWORD not in str(report)
    assert states(report, "writer of the lake", "maintenance") == [["not checked"]] * 2


def test_a_store_that_hangs_after_it_let_us_in_keeps_what_was_found(
    tmp_path: Path, object_store: ObjectStore, doctor: Doctor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The line says what did not come."""
    monkeypatch.setattr("conformare_sink.cli.doctor.examine", _impatient)
    path = new_path()
    make_lake(tables_at(object_store, path))
    with network(object_store.endpoint) as between:
        store = object_store.behind(between.endpoint)
        between.hold(lambda request: request.method == "PUT")
        code, report = doctor("--lake", store.url(path), *store_file(tmp_path, store))
        between.mend()
    assert code == 1
    assert [state for state, _ in report["lake"]] == ["good", "mend"]
    assert (
        f"{store.url(path)} did not answer within 2 s, after the line above" in report["lake"][1][1]
    )
