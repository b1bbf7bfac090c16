"""A lake whose tables have names in a catalog, for every command."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F
from support.lakes.landed import land, run_of, tables_in
from support.lakes.store import Store
from support.messages.produce import Topic, messages_of
from support.messages.records import make_declaration, make_record

from conformare.cli import main
from conformare.emission import Message
from conformare_schemas import RUN_GRAINS
from conformare_sink.broker.broker import EmbeddedBroker
from conformare_sink.errors import LakeRefusedError, NoLakeError
from conformare_sink.kafka.topics import Topics
from conformare_sink.lake.known import known
from conformare_sink.lake.lake import open_for_writing
from conformare_sink.lake.layout import READ_NOTE
from conformare_sink.lake.purge import Purge
from conformare_sink.lake.tables.places import catalog_tables
from conformare_sink.lake.tables.tables import LAKE_TABLES, LakeTables, require_lake, select_rows
from conformare_sink.landing.report import BatchReport
from conformare_sink.messages.emission import Decision, RunKey
from conformare_sink.options import CatalogOptions, Engine, SinkOptions, StorageSettings
from conformare_sink.stream.replay import Selection, replay
from conformare_sink.stream.stream import SinkStream

LANDED = [make_record(f"run-{n}") for n in range(2)]
UNFRAMED = "not framed: the value does not begin with the marker of Avro single-object encoding"


@contextmanager
def new_schema(spark: SparkSession) -> Iterator[CatalogOptions]:
    """An empty schema of Spark's own catalog, named as a session would whose catalog it is."""
    schema = f"governance_{uuid.uuid4().hex[:8]}"
    spark.sql(f"CREATE SCHEMA {schema}")
    yield CatalogOptions(schema_name=schema, table_prefix="cf_")
    spark.sql(f"DROP SCHEMA {schema} CASCADE")


@pytest.fixture
def empty(spark: SparkSession) -> Iterator[CatalogOptions]:
    """A schema of a test's own."""
    with new_schema(spark) as catalog:
        yield catalog


@pytest.fixture(scope="module")
def store(
    broker: EmbeddedBroker, spark: SparkSession, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Store]:
    """A store of two runs whose tables have names in a catalog."""
    prefix = f"test-{uuid.uuid4().hex[:12]}."
    Topics(broker.bootstrap_servers, prefix).create()
    topic = Topic(broker.bootstrap_servers, prefix)
    for record in LANDED:
        topic.send(messages_of(record, "first"))
    with new_schema(spark) as catalog:
        options = SinkOptions(
            bootstrap_servers=broker.bootstrap_servers,
            lake=str(tmp_path_factory.mktemp("a secret url") / "lake"),
            catalog=catalog,
            topic_prefix=prefix,
        )
        store = Store(spark, options, topic)
        assert store.catch_up()[Decision.LAND] == len(LANDED)
        yield store


def catalog_of(store: Store) -> list[str]:
    """The options of the command line that say where the tables are."""
    assert store.options.catalog is not None
    return store.options.catalog.command_line.split()


def run_ids(store: Store) -> set[str]:
    """The runs in the lake."""
    return {row["run_id"] for row in select_rows(store.tables, "SELECT run_id FROM runs", "runs")}


def rows_of(store: Store, grain: str) -> int:
    """How many rows a table has."""
    sql = f"SELECT count(*) AS n FROM {grain}"  # noqa: S608 - our own words
    return int(select_rows(store.tables, sql, grain)[0]["n"])


def tables_at(spark: SparkSession, lake: object, catalog: CatalogOptions) -> LakeTables:
    """The tables of a lake that are in a catalog."""
    return catalog_tables(spark, str(lake), StorageSettings(), catalog)


def test_runs_land_in_the_tables_of_a_catalog(store: Store) -> None:
    """Whole and once, also when they come again to a sink that has just started."""
    store.topic.send(messages_of(LANDED[0], "again"))
    found = store.catch_up()
    assert (found[Decision.LAND], found[Decision.REPEAT]) == (0, 1)
    for grain in RUN_GRAINS:
        assert rows_of(store, grain) == sum(len(record[grain]) for record in LANDED)
    assert not [*Path(store.lake).glob("*/_delta_log")]


@pytest.mark.long
def test_declarations_land_once_in_a_catalog_and_are_purged(store: Store) -> None:
    """By the driver, and where executors process the runs beside them."""
    (first,) = messages_of(make_declaration("/data"), "declared-1")
    (second,) = messages_of(make_declaration("/other"), "declared-2")
    store.topic.send([first, first, second])
    assert store.catch_up()[Decision.LAND] == 2
    store.topic.send([first, *messages_of(LANDED[0], "again with it")])
    forced = replace(store, options=store.options.model_copy(update={"engine": Engine.EXECUTORS}))
    assert forced.catch_up()[Decision.REPEAT] == 2
    assert store.again(Selection()).landed == 0
    assert rows_of(store, "source_risks") == 4
    with open_for_writing(store.tables, "a purge") as lake:
        assert lake.purge(Purge(location="/data")).declarations == 1
    store.topic.send([first])
    assert store.catch_up()[Decision.PURGED] == 1
    assert rows_of(store, "source_risks") == 2


@pytest.mark.long
def test_a_sink_resumes_where_the_note_beside_a_catalog_says(
    store: Store, spark: SparkSession
) -> None:
    """A note that is damaged, or of tables that were dropped, costs no more than time."""

    def messages() -> int:
        reports: list[BatchReport] = []
        SinkStream(spark, store.options, reports.append).run_once()
        return sum(report.messages for report in reports)

    messages()
    assert messages() == 0
    there = run_ids(store)
    note = Path(store.lake, READ_NOTE)
    sound = note.read_bytes()
    note.write_bytes(sound[:-20])
    assert messages() >= 8 * len(there)
    assert store.options.catalog is not None
    for grain in RUN_GRAINS:
        spark.sql(f"DROP TABLE {store.options.catalog.schema_name}.cf_{grain}")
    assert messages() >= 8 * len(there)
    assert run_ids(store) == there
    for grain in RUN_GRAINS:
        assert rows_of(store, grain) == sum(len(record[grain]) for record in LANDED)


@pytest.mark.long
def test_what_is_in_the_catalog_is_looked_at(
    store: Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """By the same commands, which print the same as of a lake of folders."""
    waiting = messages_of(make_record("waiting"), "e-waiting")
    store.topic.send([*waiting[1:], Message("runs", b"k", b"garbage")])
    store.catch_up()
    # A session of the commands' own would end that of all tests.
    monkeypatch.setattr(
        "conformare_sink.spark.session.build_session",
        lambda *_, **__: SimpleNamespace(stop=lambda: None),
    )
    monkeypatch.setattr("conformare_sink.cli._lake.catalog_tables", lambda *_: store.tables)
    prefix = store.options.topic_prefix
    broker = ["--bootstrap-servers", store.options.bootstrap_servers, "--topic-prefix", prefix]

    def printed(*command: str) -> Any:
        assert main([*command, "--lake", store.lake, *catalog_of(store), "--json"]) == 0
        return json.loads(capsys.readouterr().out)

    status = printed("status", *broker)
    assert status["lake"] == store.lake
    assert [*status["runs_by_status"].values()] == [len(LANDED)]
    assert status["rows_by_grain"]["risks"] == sum(len(record["risks"]) for record in LANDED)
    assert [(one["run_id"], one["missing"]) for one in status["incomplete"]] == [
        ("waiting", {"contexts": 4})
    ]
    assert status["quarantined_by_cause"] == {UNFRAMED: 1}
    assert set(status["lag_by_topic"].values()) == {0}

    with open_for_writing(store.tables, "a test") as lake:
        now = datetime.now(timezone.utc)
        assert [key.run_id for key in lake.waiting_since(now)] == ["waiting"]
        assert lake.waiting_since(now - timedelta(days=1)) == []

    (cause,) = printed("quarantine", "list")
    assert (cause["cause"], cause["messages"], cause["topics"]) == (UNFRAMED, 1, [f"{prefix}runs"])
    (message,) = printed("quarantine", "show", "--cause", "not f", "--topic", f"{prefix}runs")
    assert (message["key"], message["value_bytes"]) == ("k", len(b"garbage"))
    assert printed("quarantine", "show", "--cause", r"it's \ ${x}") == []


@pytest.mark.long
def test_a_replay_lands_in_the_catalog(
    spark: SparkSession,
    store: Store,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """What was purged stays away; without the catalog's options nothing is made in the folder."""
    store.topic.send(messages_of(make_record("doomed"), "e-doomed"))
    store.catch_up()
    with open_for_writing(store.tables, "a purge") as lake:
        lake.purge(Purge(run_ids=("doomed",)))
    store.topic.send(messages_of(make_record("new"), "e-new"))
    # A session of the command's own would end that of all tests.
    monkeypatch.setattr(
        "conformare_sink.spark.session.build_session",
        lambda *_, **__: SimpleNamespace(stop=lambda: None),
    )
    monkeypatch.setattr(
        "conformare_sink.stream.replay.replay",
        lambda _, *given, **named: replay(spark, *given, **named),
    )
    command = ["replay", "--bootstrap-servers", store.options.bootstrap_servers, "--lake"]
    command += [store.lake, "--topic-prefix", store.options.topic_prefix]
    there = {path.name for path in Path(store.lake).iterdir()}
    before = run_ids(store)

    assert main(command) == 1
    told = capsys.readouterr().err.splitlines()[-1]
    assert told.startswith(f"error: the tables of {store.lake} are in a catalog: give --catalog ")
    assert told.endswith(f"--catalog spark_catalog {' '.join(catalog_of(store))}")
    assert {path.name for path in Path(store.lake).iterdir()} == there

    assert main([*command, *catalog_of(store), "--run-id", "doomed", "--run-id", "new"]) == 0
    assert capsys.readouterr().out.startswith("landed 1 run(s); 0 emission(s) of runs that are in")
    assert run_ids(store) == before | {"new"}


def test_the_folder_alone_is_no_lake(
    store: Store, capsys: pytest.CaptureFixture[str], empty: CatalogOptions
) -> None:
    """Nor is it together with another schema: whoever gives it is told what to give."""
    there = {path.name for path in Path(store.lake).iterdir()}
    for catalog in (None, empty):
        other = Store(
            store.spark, store.options.model_copy(update={"catalog": catalog}), store.topic
        )
        with pytest.raises(LakeRefusedError, match="are in a catalog: give --catalog spark"):
            other.catch_up()
        with pytest.raises(LakeRefusedError, match="are in a catalog: give --catalog spark"):
            require_lake(other.tables)
    for command in (["status"], ["quarantine", "list"], ["quarantine", "show"]):
        assert main([*command, "--lake", store.lake]) == 1
        (line,) = capsys.readouterr().err.splitlines()
        assert "are in a catalog: give --catalog spark_catalog --schema" in line
    assert {path.name for path in Path(store.lake).iterdir()} == there


def test_tables_are_of_one_folder(store: Store, tmp_path: Path) -> None:
    """The lock is there: a sink with another one would land the same runs again."""
    options = store.options.model_copy(update={"lake": str(tmp_path / "other")})
    told = re.escape(f"belongs to another lake: give --lake 'file:{store.lake}'")
    with pytest.raises(LakeRefusedError, match=told):
        Store(store.spark, options, store.topic).catch_up()
    same = store.options.model_copy(update={"lake": f"file://{store.lake}/"})
    assert Store(store.spark, same, store.topic).catch_up()[Decision.LAND] == 0


def test_tables_that_a_job_has_made_are_the_first_lakes_and_can_be_moved(
    spark: SparkSession, tmp_path: Path, empty: CatalogOptions
) -> None:
    """By the statement of docs/howto/use-a-catalog.md."""
    first, second = (tables_at(spark, tmp_path / name, empty) for name in ("1", "2"))
    runs = f"{empty.schema_name}.cf_runs"
    spark.sql(LAKE_TABLES["runs"].create_sql(runs))
    first.open()
    with pytest.raises(LakeRefusedError, match=f"give --lake {first.storage.address}"):
        second.open()
    spark.sql(
        f"ALTER TABLE {runs} SET TBLPROPERTIES ('conformare.lake' = '{second.storage.address}')"
    )
    second.open()
    with pytest.raises(LakeRefusedError, match=f"give --lake {second.storage.address}"):
        first.open()


def test_a_lake_of_folders_is_not_in_a_catalog(
    spark: SparkSession, lake: str, empty: CatalogOptions
) -> None:
    """It would look empty there, and be filled again."""
    tables_in(lake).open()
    in_catalog = tables_at(spark, lake, empty)
    with (
        pytest.raises(LakeRefusedError, match="are folders in it: leave out --catalog"),
        open_for_writing(in_catalog, "a test"),
    ):
        pass
    with pytest.raises(LakeRefusedError, match="are folders in it: leave out --catalog"):
        require_lake(in_catalog)
    assert not in_catalog.exist()


@pytest.mark.parametrize("catalog", [None, "no_such_catalog"])
def test_a_schema_that_is_not_there_is_told(
    spark: SparkSession, lake: str, catalog: str | None
) -> None:
    """In one line, and nothing is made."""
    nowhere = tables_at(spark, lake, CatalogOptions(catalog=catalog, schema_name="no_such"))
    with pytest.raises(LakeRefusedError, match=r"^the schema .*`no_such` cannot be used: .*$"):
        require_lake(nowhere)
    with pytest.raises(LakeRefusedError), open_for_writing(nowhere, "a test"):
        pass
    assert not Path(lake).exists()


def test_a_schema_that_has_no_lake_is_told(
    spark: SparkSession, lake: str, empty: CatalogOptions
) -> None:
    """Nothing is noted in the folder, which may become that of another lake."""
    with pytest.raises(NoLakeError, match="there is no conformare lake at"):
        require_lake(tables_at(spark, lake, empty))
    assert not Path(lake).exists()


def test_a_foreign_table_of_the_catalog_is_refused(
    spark: SparkSession, lake: str, empty: CatalogOptions
) -> None:
    """It is named, and left as it was."""
    name = f"{empty.schema_name}.cf_runs"
    spark.sql(f"CREATE TABLE {name} (run_id STRING) USING DELTA")
    with pytest.raises(LakeRefusedError, match="cf_runs"):
        tables_at(spark, lake, empty).open()
    assert spark.table(name).columns == ["run_id"]


@pytest.mark.long
def test_known_runs_of_a_catalog_are_kept_and_read_again_when_somebody_has_written(
    spark: SparkSession, empty: CatalogOptions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beside an open lake, and before it is opened again."""
    monkeypatch.setattr(known, "KEPT", 1)
    tables = catalog_tables(spark, str(tmp_path / "lake"), StorageSettings(), empty)
    n_read = 0
    select = tables.select

    def count(sql: str, *names: str) -> Iterator[Any]:
        nonlocal n_read
        n_read += "md5" in sql and names == ("runs",)
        return select(sql, *names)

    monkeypatch.setattr(tables, "select", count)
    runs = [run_of(record) for record in LANDED]
    others = [RunKey("pipeline", f"by hand {n}") for n in range(2)]
    checkpoint = tmp_path / "checkpoint"

    def write_by_hand(run: RunKey) -> None:
        table = f"{empty.schema_name}.cf_runs"
        row = spark.table(table).limit(1).withColumn("run_id", F.lit(run.run_id))
        row.writeTo(table).append()

    with open_for_writing(tables, "a test", checkpoint) as lake:
        land(lake, *LANDED)
    n_read = 0
    with open_for_writing(tables, "a test", checkpoint) as lake:
        assert lake.settled([*runs, *others]).known == {*runs}
        assert n_read == 0
        write_by_hand(others[0])
        assert lake.settled([*runs, *others]).known == {*runs, others[0]}
        assert n_read == 1
    write_by_hand(others[1])
    with open_for_writing(tables, "a test", checkpoint) as lake:
        assert n_read == 2
        assert lake.settled([*runs, *others]).known == {*runs, *others}
        lake.purge(Purge(run_ids=("by hand 0",)))
        assert lake.settled([*runs, *others]).known == {*runs, others[1]}
