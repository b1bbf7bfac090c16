"""Whole runs, once, whatever happens on the topics: on the real broker, Spark and Delta."""

from __future__ import annotations

import random
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import pytest
from deltalake import DeltaTable
from pyspark.sql import SparkSession
from support.lakes.checker import check, read_table
from support.lakes.landed import tables_in
from support.messages.produce import Topic, messages_of
from support.messages.records import make_record

from conformare.emission import KafkaOptions, KafkaWriter, Message
from conformare_schemas import RUN_GRAINS, message_header, topic_name
from conformare_sink.broker.broker import EmbeddedBroker
from conformare_sink.errors import StreamFailedError
from conformare_sink.kafka.topics import Topics
from conformare_sink.lake.layout import LANDING_NOTES
from conformare_sink.lake.tables.data_file import DataFile
from conformare_sink.lake.tables.folder_table import FolderTable
from conformare_sink.landing.report import BatchReport
from conformare_sink.messages.emission import Decision
from conformare_sink.options import SinkOptions
from conformare_sink.status import read_status
from conformare_sink.stream.replay import Selection, replay
from conformare_sink.stream.stream import SinkStream

CatchUp = Callable[[], list[BatchReport]]


def files(lake: str) -> dict[str, set[str]]:
    """The files of each grain's table: the same ones hold the same rows."""
    return {grain: set(DeltaTable(str(Path(lake) / grain)).file_uris()) for grain in RUN_GRAINS}


def landed(reports: list[BatchReport], decision: Decision = Decision.LAND) -> int:
    """How many emissions met a decision, over all batches."""
    return sum(report.emissions[decision] for report in reports)


def test_every_grain_lands_as_it_was_recorded(
    broker: EmbeddedBroker,
    topics: Topics,  # noqa: ARG001 - they are created
    topic_prefix: str,
    lake: str,
    catch_up: CatchUp,
) -> None:
    """Field by field, through the product's own writer; a large record in several messages."""
    records = [make_record(f"run-{n}") for n in range(3)]
    records.append(make_record("large", rows={"risks": 200, "owners": 40}))
    records.append(make_record("the last microsecond", ts="9999-12-31T23:59:59.999999Z"))
    writer = KafkaWriter(
        KafkaOptions(
            bootstrap_servers=broker.bootstrap_servers,
            topic_prefix=topic_prefix,
            max_message_bytes=8_000,
        )
    )
    for record in records:
        writer.write(record)
    assert writer.flush(timeout_seconds=60) == 0
    assert landed(catch_up()) == 5
    assert check(lake, records).is_sound
    assert len(read_table(lake, "risks")) == 4 * 5 + 200


def test_repeated_conflicting_interleaved_and_late_messages(
    spark: SparkSession,
    topic: Topic,
    topics: Topics,
    lake: str,
    options: SinkOptions,
    catch_up: CatchUp,
) -> None:
    """One run, one emission; then a replay changes nothing."""
    shuffled = random.Random(7).shuffle  # noqa: S311 - the same order every time
    produced = []

    def messages(run_id: str, emission: str, **kwargs: str) -> list[Message]:
        record = make_record(run_id, content=kwargs.get("content", "first"))
        produced.append(record)
        return messages_of(record, emission, max_message_bytes=4_000)

    resent = messages("resent", "e1") * 3
    conflict = messages("conflict", "e2") + messages("conflict", "e3", content="second")
    late_runs = messages("late-runs", "e4")
    late_child = messages("late-child", "e5")
    corrected = messages("corrected", "e6")
    first = resent + conflict + late_runs[:-1] + late_child[1:] + corrected
    shuffled(first)
    topic.send(first)
    first_reports = catch_up()
    assert landed(first_reports) == 3
    assert landed(first_reports, Decision.REPEAT) == 1

    # What is not whole is in no table of the grains, and it is known what is missing.
    waiting = {e.run_id: e.missing for e in read_status(tables_in(lake), topics).incomplete}
    assert waiting == {"late-runs": {"runs": 1}, "late-child": {"contexts": 4}}
    assert {row["run_id"] for grain in RUN_GRAINS for row in read_table(lake, grain)} == {
        "resent",
        "conflict",
        "corrected",
    }

    second = [*late_runs[-1:], *late_child[:1], *messages("corrected", "e7", content="second")]
    second += messages("resent", "e8")[:-1]  # a part of a run that is there waits for nothing
    shuffled(second)
    topic.send(second)
    assert landed(catch_up()) == 2
    assert check(lake, produced).is_sound
    titles = {row["run_id"]: row["title"] for row in read_table(lake, "runs")}
    assert titles["corrected"].startswith("first")
    status = read_status(tables_in(lake), topics)
    assert status.incomplete == ()
    assert set((status.lag_by_topic or {}).values()) == {0}

    before = files(lake)
    report = replay(spark, options, Selection(), on_batch=lambda _: None)
    assert (report.landed, report.incomplete, report.quarantined) == (0, 0, 0)
    assert report.repeated == 8
    assert files(lake) == before


def test_the_same_run_id_in_two_pipelines_is_two_runs(
    topic: Topic, lake: str, catch_up: CatchUp
) -> None:
    """Both land."""
    records = [make_record("r", pipeline=name) for name in ("p", "q")]
    for number, record in enumerate(records):
        topic.send(messages_of(record, f"e{number}"))
    assert landed(catch_up()) == 2
    assert check(lake, records).is_sound


def test_what_cannot_be_used_is_quarantined_and_the_stream_goes_on(
    topic: Topic, topic_prefix: str, lake: str, catch_up: CatchUp
) -> None:
    """With its bytes and the cause; messages behind it land; a second look adds nothing."""
    record = make_record("run-1")
    good = messages_of(record, "e1")
    owners = next(m for m in good if m.grain == "owners")
    giant = b"\xfe\xff\xff\xff\x0f"  # announces a string of 2 GiB
    bad = [
        Message("runs", b"k", b"garbage"),
        Message("runs", b"k", b""),
        Message("sinks", owners.key, owners.value),
        Message("owners", b"k", b"\xc3\x01" + b"\x00" * 8 + owners.value[10:]),
        Message("owners", b"k", owners.value[:40]),
        Message("owners", b"k", message_header("owners") + giant),
        Message("owners", b"another run", owners.value),
        Message("runs", b"", messages_of(make_record(""), "e2")[-1].value),
    ]
    topic.send([*bad, *good])
    reports = catch_up()
    assert landed(reports) == 1
    assert check(lake, [record]).is_sound
    rows = read_table(lake, "quarantine")
    assert sorted(row["value"] for row in rows) == sorted(m.value for m in bad)
    causes = {
        (row["topic"], row["key"], row["value"]): row["cause"].partition(":")[0] for row in rows
    }
    right = (
        "not framed",
        "not framed",
        "unknown schema",  # the schema of owners is none of the topic of sinks
        "unknown schema",
        "undecodable",
        "undecodable",
        "breaks the contract",
        "breaks the contract",
    )
    assert causes == {
        (topic_name(message.grain, topic_prefix), message.key, message.value): cause
        for message, cause in zip(bad, right, strict=True)
    }
    later = make_record("run-2")
    topic.send(messages_of(later, "e3"))
    assert landed(catch_up()) == 1
    assert len(read_table(lake, "quarantine")) == len(bad)


def test_a_batch_that_broke_off_leaves_nothing_when_another_stream_goes_on(
    spark: SparkSession, topic: Topic, options: SinkOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whose batches have other borders."""
    records = [make_record(f"run-{n}") for n in range(6)]
    for number, record in enumerate(records):
        topic.send(messages_of(record, f"e{number}"))

    def break_off(table: FolderTable, files: Collection[DataFile], *more: Any) -> None:
        if "runs" in {file.table for file in files}:
            raise OSError("the disk is gone")
        add(table, files, *more)

    add = FolderTable.add
    with monkeypatch.context() as patch:
        patch.setattr(FolderTable, "add", break_off)
        with pytest.raises(StreamFailedError):
            SinkStream(spark, options, lambda _: None).run_once()
    assert len(read_table(options.lake, "risks")) == 6 * 5
    assert read_table(options.lake, "runs") == []

    other = options.model_copy(update={"max_messages_per_batch": 20})
    SinkStream(spark, other, lambda _: None).run_once()
    assert check(options.lake, records).is_sound


def test_a_note_that_was_not_finished_is_no_obstacle(
    topic: Topic, lake: str, catch_up: CatchUp
) -> None:
    """Its writer ended before it appended anything."""
    catch_up()
    note = Path(lake, f"{LANDING_NOTES}1.json")
    note.write_text('{"runs": [["pipe', encoding="utf-8")
    record = make_record("run-1")
    topic.send(messages_of(record, "e1"))
    assert landed(catch_up()) == 1
    assert check(lake, [record]).is_sound
    assert not note.exists()
