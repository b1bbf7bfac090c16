"""Risks that are declared of a location land once, in a table of their own."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient
from deltalake import DeltaTable
from pyspark.sql import SparkSession
from support.lakes.checker import check, check_declarations, read_table
from support.lakes.store import Store
from support.messages.produce import Topic, messages_of
from support.messages.records import make_declaration, make_record
from support.messages.upgrade import upgrade, upgraded

import conformare as cf
from conformare.cli import main
from conformare.emission import Message as Sent
from conformare_schemas import SINGLE_OBJECT_MAGIC, topic_name
from conformare_sink.broker.broker import EmbeddedBroker
from conformare_sink.kafka.topics import Topics
from conformare_sink.lake.lake import open_for_writing
from conformare_sink.lake.purge import Purge, Purged, rehearse_purge
from conformare_sink.lake.tables.places import lake_tables
from conformare_sink.landing.landing import Landing
from conformare_sink.landing.pending import PendingMessages
from conformare_sink.landing.report import BatchReport
from conformare_sink.messages.emission import Decision
from conformare_sink.messages.message import Message
from conformare_sink.options import Engine, SinkOptions
from conformare_sink.status import read_status
from conformare_sink.stream.replay import Selection


def test_what_a_job_declares_is_in_the_lake(
    broker: EmbeddedBroker,
    topics: object,  # noqa: ARG001 - they are to be there
    options: SinkOptions,
    catch_up: Callable[[], list[BatchReport]],
    tmp_path: Path,
) -> None:
    """Beside its runs, from the call to the table."""
    dest = {
        "writer": "kafka",
        "bootstrap_servers": broker.bootstrap_servers,
        "topic_prefix": options.topic_prefix,
        "spool_dir": str(tmp_path / "spool"),
    }
    record = cf.record_source_risk(
        "s3://lake/customers/", "privacy.pii_exposure", "own.risk", column="email", dest=dest
    )
    run_id = cf.record_run("pipeline", store=cf.Store(), dest=dest)
    assert cf.flush(30) == 0
    (report,) = catch_up()
    assert report.emissions[Decision.LAND] == 2
    assert report.rows == {"runs": 1, "source_risks": 2}
    assert len(report.latencies) == 2
    assert check_declarations(options.lake, [record]).is_sound
    assert [row["run_id"] for row in read_table(options.lake, "runs")] == [run_id]
    assert sum(batch.messages for batch in catch_up()) == 0


def without_topic_of_declarations(options: SinkOptions, topics: Topics) -> None:
    """Leave the topics as a sink of contract version 1 has made them."""
    name = topic_name("source_risks", options.topic_prefix)
    admin = AdminClient({"bootstrap.servers": options.bootstrap_servers})
    admin.delete_topics([name])[name].result(30)
    while name in topics.partitions():
        pass


def landed(batches: Iterable[BatchReport]) -> Counter[str]:
    """Count the rows of some batches by table."""
    return sum((Counter(batch.rows) for batch in batches), Counter[str]())


def test_what_is_declared_before_there_is_a_topic_waits_for_it(
    options: SinkOptions,
    topics: Topics,
    catch_up: Callable[[], list[BatchReport]],
    tmp_path: Path,
) -> None:
    """And holds up no run."""
    without_topic_of_declarations(options, topics)
    dest = {
        "writer": "kafka",
        "bootstrap_servers": options.bootstrap_servers,
        "topic_prefix": options.topic_prefix,
        "spool_dir": str(tmp_path / "spool"),
    }
    record = cf.record_source_risk("/data", "own.risk", dest=dest)
    cf.record_run("pipeline", store=cf.Store(), dest=dest)
    while not sum(topics.ends().values()):
        pass
    # The sink makes the topic when it starts, and the declaration may come before its first batch.
    batches = catch_up()
    assert landed(batches)["runs"] == 1
    assert cf.flush(120) == 0
    batches += catch_up()
    assert landed(batches) == {"runs": 1, "source_risks": 1}
    assert check_declarations(options.lake, [record]).is_sound


def test_a_declaration_lands_once_whoever_sends_it_again(
    spark: SparkSession, options: SinkOptions, topic: Topic
) -> None:
    """In the same batch, in the next, to another sink, by a replay, with other content."""
    first, second = (make_declaration(f"/data/{n}") for n in range(2))
    altered = make_declaration("/data/0", note="altered")
    store = Store(spark, options, topic)
    topic.send([*messages_of(first, "e-1"), *messages_of(first, "e-1")])
    assert store.catch_up()[Decision.LAND] == 1
    topic.send([*messages_of(altered, "e-1"), *messages_of(second, "e-2")])
    topic.send(messages_of(first, "e-3"))
    decided = store.catch_up()
    assert (decided[Decision.LAND], decided[Decision.REPEAT]) == (2, 1)
    expected = [first, second, first]
    assert check_declarations(store.lake, expected).is_sound

    replayed = store.again(Selection())
    assert (replayed.landed, replayed.repeated, replayed.incomplete) == (0, 3, 0)
    assert check_declarations(store.lake, expected).is_sound
    assert not read_table(store.lake, "pending")


def test_a_replay_brings_back_what_is_gone(
    spark: SparkSession, options: SinkOptions, topic: Topic
) -> None:
    """Somebody has deleted the rows; a dry run says so, and one of some pipelines leaves them."""
    store = Store(spark, options, topic)
    record = make_declaration("/data")
    topic.send([*messages_of(record, "e-1"), *messages_of(make_record("r"), "e-2")])
    assert store.catch_up()[Decision.LAND] == 2
    DeltaTable(f"{store.lake}/source_risks").delete()
    assert store.again(Selection(), dry_run=True).landed == 1
    assert store.again(Selection(pipelines=["pipeline"])).landed == 0
    assert read_table(store.lake, "source_risks") == []
    assert store.again(Selection()).landed == 1
    assert check_declarations(store.lake, [record]).is_sound


def test_what_somebody_deletes_beside_the_sink_lands_again_if_it_is_sent_again(
    spark: SparkSession, options: SinkOptions, topic: Topic
) -> None:
    """What is known of the table is no older than its last change by others."""
    record = make_declaration("/data")
    message = Message(b"/data", messages_of(record, "e-1")[0].value, "x.source_risks", 0, 0, 0)
    Store(spark, options, topic).catch_up()
    with open_for_writing(lake_tables(spark, options), "a test") as lake:
        landing = Landing(lake, PendingMessages(), "x.")
        assert landing.land([message]).rows == {"source_risks": 2}
        assert landing.land([message]).rows == {}
        DeltaTable(f"{options.lake}/source_risks").delete()
        assert landing.land([message]).rows == {"source_risks": 2}


def test_a_damaged_declaration_goes_to_quarantine_and_keeps_nothing_from_landing(
    spark: SparkSession, options: SinkOptions, topic: Topic
) -> None:
    """With its cause, once; and none of them stops the stream."""
    store = Store(spark, options, topic)
    (good,) = messages_of(make_declaration("/data"), "e-1")
    damaged = {
        b"garbage": "not framed",
        good.value[:-1]: "undecodable",
        good.value + b"!": "undecodable",
        SINGLE_OBJECT_MAGIC + b"12345678": "unknown schema",
    }
    topic.send([Sent("source_risks", good.key, value) for value in damaged])
    topic.send([Sent("source_risks", b"/other", good.value), good])
    decided = store.catch_up()
    assert decided[Decision.LAND] == 1
    causes = {row["value"]: row["cause"] for row in read_table(store.lake, "quarantine")}
    for value, cause in damaged.items():
        assert causes[value].startswith(cause)
    assert causes[good.value] == "breaks the contract: the key is not the location"
    assert "upgrade the sink" in causes[SINGLE_OBJECT_MAGIC + b"12345678"]
    assert store.again(Selection()).quarantined == 0


def test_a_declaration_of_a_newer_contract_lands_after_the_upgrade(
    spark: SparkSession, options: SinkOptions, topic: Topic, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once, although it is in the topic, in quarantine, and sent again."""
    store = Store(spark, options, topic)
    record = make_declaration("/data")
    newer = [*map(upgraded, messages_of(record, "e-1"))]
    topic.send(newer)
    store.catch_up()
    (waiting,) = read_table(store.lake, "quarantine")
    assert waiting["cause"].startswith("unknown schema: ")
    upgrade(monkeypatch)
    topic.send(newer)
    assert store.catch_up()[Decision.REPEAT] == 1
    assert read_table(store.lake, "quarantine") == []
    assert check_declarations(store.lake, [record]).is_sound


@pytest.mark.long
def test_a_job_that_writes_tables_itself_declares_into_the_same_one(
    spark: SparkSession, options: SinkOptions, topic: Topic
) -> None:
    """Before there is a sink, and beside it; a sink's are not taken for a job's."""
    dest = {"writer": "spark_table", "spark": spark, "lake": options.lake}
    store = Store(spark, options, topic)
    records = [cf.record_source_risk("/data", "own.risk", dest=dest)]
    cf.record_run("pipeline", store=cf.Store(), dest=dest)
    topic.send(messages_of(make_declaration("/data"), "e-1"))
    assert store.catch_up()[Decision.LAND] == 1
    records.append(cf.record_source_risk("/data", "own.risk", dest=dest))
    assert store.again(Selection()).repeated == 1
    assert check_declarations(store.lake, [*records, make_declaration("/data")]).is_sound


@pytest.mark.long
def test_executors_leave_declarations_to_the_driver(
    spark: SparkSession, options: SinkOptions, topic: Topic
) -> None:
    """They process the runs of the same batch, and both land once."""
    both = options.model_copy(update={"engine": Engine.EXECUTORS})
    store = Store(spark, both, topic)
    runs = [make_record(f"run-{n}") for n in range(20)]
    declared = [make_declaration(f"/data/{n}") for n in range(10)]
    for n, record in enumerate([*runs, *declared]):
        topic.send_later(messages_of(record, f"e-{n}"))
    topic.send([])
    assert store.catch_up()[Decision.LAND] == 30
    topic.send([m for n in range(10) for m in messages_of(declared[n], f"e-{20 + n}")])
    assert store.catch_up()[Decision.REPEAT] == 10
    assert store.again(Selection()).repeated == 30
    assert check(store.lake, runs).is_sound
    assert check_declarations(store.lake, declared).is_sound


def test_an_older_installation_gets_the_topic_and_the_table(
    spark: SparkSession, options: SinkOptions, topic: Topic, topics: Topics
) -> None:
    """Its lake has read the eight topics of runs, and has no table of declarations."""
    store = Store(spark, options, topic)
    without_topic_of_declarations(options, topics)
    with pytest.MonkeyPatch.context() as older:
        older.setattr(Topics, "create_those_of_runs", lambda _: [])
        older.setattr(Topics, "names", property(lambda self: self._of_runs))
        topic.send(messages_of(make_record("run-1"), "e-1"))
        assert store.catch_up()[Decision.LAND] == 1
    shutil.rmtree(f"{store.lake}/source_risks")
    assert read_status(store.tables).rows_by_grain["source_risks"] == 0

    record = make_declaration("/data")
    assert store.catch_up()[Decision.LAND] == 0
    topic.send(messages_of(record, "e-2"))
    assert store.catch_up()[Decision.LAND] == 1
    assert check_declarations(store.lake, [record]).is_sound
    assert check(store.lake, [make_record("run-1")]).is_sound


def test_what_is_declared_of_a_location_is_purged(
    spark: SparkSession,
    options: SinkOptions,
    topic: Topic,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """For good: neither a replay nor a job that sends again brings it back."""
    store = Store(spark, options, topic)
    kept, doomed = make_declaration("/kept"), make_declaration("/doomed")
    topic.send(
        [*messages_of(kept, "e-1"), *messages_of(doomed, "e-2"), *messages_of(doomed, "e-3")]
    )
    topic.send([Sent("source_risks", b"/doomed", b"garbage")])
    topic.send(messages_of(make_record("run-1"), "e-4"))
    assert store.catch_up()[Decision.LAND] == 4
    purge = Purge(location="/doomed")
    expected = Purged({}, {}, quarantined=1, declarations=2)
    assert rehearse_purge(store.tables, purge) == expected
    command = ["purge", "--lake", store.lake, "--location", "/doomed"]
    assert main([*command, "--dry-run"]) == 0
    assert "2 declaration(s) would be deleted" in capsys.readouterr().out
    assert main([*command, "--pipeline", "p"]) == 2
    assert "leave out --run-id and --pipeline" in capsys.readouterr().err
    with open_for_writing(store.tables, "a purge") as lake:
        assert lake.purge(purge) == expected
    assert check_declarations(store.lake, [kept]).is_sound
    assert check(store.lake, [make_record("run-1")]).is_sound

    topic.send(messages_of(doomed, "e-2"))
    assert store.catch_up()[Decision.PURGED] == 1
    replayed = store.again(Selection())
    assert (replayed.landed, replayed.purged) == (0, 2)
    topic.send(messages_of(doomed, "e-5"))
    assert store.catch_up()[Decision.LAND] == 1
    assert check_declarations(store.lake, [kept, doomed]).is_sound
    assert main(["purge", "--lake", store.lake, "--location", "/nothing"]) == 0
    assert "nothing was declared of this location" in capsys.readouterr().out
