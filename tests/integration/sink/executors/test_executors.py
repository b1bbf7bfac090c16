"""Batches that Spark's executors process, here in the session's own Java."""

from __future__ import annotations

import logging
from functools import partial
from pathlib import Path

import pytest
from pydantic import SecretStr
from pyspark.sql import SparkSession
from support.lakes.checker import check, read_table, waiting_runs
from support.lakes.landed import fetch, new_path
from support.messages.produce import Topic, messages_of
from support.messages.records import make_record
from support.servers.object_store import ObjectStore

from conformare.emission import Message
from conformare_sink.executors import engine, probe
from conformare_sink.executors.task import Task
from conformare_sink.landing.report import BatchReport
from conformare_sink.messages.emission import Decision
from conformare_sink.options import Engine, SinkOptions, StorageSettings
from conformare_sink.spark.collect import Collector
from conformare_sink.stream.stream import SinkStream

RECORDS = [make_record(f"run-{n}", rows={"contexts": 2, "risks": 1}) for n in range(40)]


def land(spark: SparkSession, options: SinkOptions, **other: object) -> list[BatchReport]:
    """Land what the topics hold, by executors; return the reports."""
    chosen = options.model_copy(update={"engine": Engine.EXECUTORS, **other})
    reports: list[BatchReport] = []
    SinkStream(spark, chosen, reports.append).run_once()
    return reports


@pytest.fixture
def no_collecting(monkeypatch: pytest.MonkeyPatch) -> None:
    """The driver gets no messages."""

    def refuse(*_: object) -> None:
        raise AssertionError("messages come into the driver")

    monkeypatch.setattr(Collector, "portions", refuse)
    monkeypatch.setattr(Collector, "dealt", refuse)


@pytest.mark.usefixtures("no_collecting")
def test_runs_land_whole_and_once_whatever_the_batches_are(
    spark: SparkSession, topic: Topic, options: SinkOptions
) -> None:
    """Known ones, ones sent twice, garbage, and a run of which a message is missing."""
    for number, record in enumerate(RECORDS):
        topic.send(messages_of(record, f"e{number}", max_message_bytes=900))
    topic.send(messages_of(make_record("half"), "half")[1:])
    topic.send([Message("runs", b"key", b"garbage")])
    first = land(spark, options, max_messages_per_batch=70)
    assert len(first) > 1
    assert sum(one.emissions[Decision.LAND] for one in first) == len(RECORDS)
    assert sum(one.rows["runs"] for one in first) == len(RECORDS)
    assert sum(one.quarantined for one in first) == 1
    topic.send(messages_of(RECORDS[0], "e0"))
    topic.send(messages_of(RECORDS[1], "another"))
    (again,) = land(spark, options)
    assert again.emissions == {Decision.REPEAT: 2}
    assert check(options.lake, RECORDS).is_sound
    assert waiting_runs(options.lake) == {("pipeline", "half")}
    assert [row["value"] for row in read_table(options.lake, "quarantine")] == [b"garbage"]


@pytest.mark.usefixtures("no_collecting")
def test_a_lake_in_an_object_store_is_written_with_the_drivers_credentials(
    spark: SparkSession,
    topic: Topic,
    options: SinkOptions,
    object_store: ObjectStore,
    tmp_path: Path,
) -> None:
    """Which are in a file that the driver alone has read."""
    path = new_path()
    values = {name: SecretStr(value) for name, value in object_store.storage_options.items()}
    topic.send(messages_of(RECORDS[0], "e0"))
    place = {"lake": object_store.url(path), "storage": StorageSettings(values=values)}
    land(spark, options, **place)
    assert check(fetch(object_store, path, tmp_path), RECORDS[:1]).is_sound


@pytest.mark.long
def test_what_no_task_can_hold_lands_by_the_driver(
    spark: SparkSession, topic: Topic, options: SinkOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One key that has half of all messages among it: the others are dealt out more finely."""
    monkeypatch.setattr(engine, "MESSAGES_OF_A_PART", 100)
    monkeypatch.setattr(engine, "Task", partial(Task, most_bytes=30_000))
    for number, record in enumerate(RECORDS):
        topic.send(messages_of(record, f"e{number}"))
    heavy = make_record("heavy", rows={"risks": 400})
    topic.send(messages_of(heavy, "heavy", max_message_bytes=900))
    (report,) = land(spark, options)
    assert report.emissions == {Decision.LAND: len(RECORDS) + 1}
    assert check(options.lake, [*RECORDS, heavy]).is_sound


def test_executors_without_the_package_are_told_of_and_the_driver_goes_on(
    spark: SparkSession,
    topic: Topic,
    options: SinkOptions,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """In one line, once."""
    monkeypatch.setattr(probe, "DISTRIBUTION", "conformare-stream-of-tomorrow")
    monkeypatch.setattr(probe, "version", lambda _: "9.9")
    for number, record in enumerate(RECORDS):
        topic.send(messages_of(record, f"e{number}"))
    with caplog.at_level(logging.WARNING):
        land(spark, options, max_messages_per_batch=70)
    (line,) = [one.getMessage() for one in caplog.records if one.name == "conformare_sink"]
    assert "executors lack conformare-stream-of-tomorrow 9.9" in line
    assert "\n" not in line
    assert check(options.lake, RECORDS).is_sound
