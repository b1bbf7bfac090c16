"""The topics again: all of them or a part, for real or as a rehearsal."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Collection
from datetime import datetime, timezone
from pathlib import Path

import pytest
from delta.tables import DeltaTable
from pyspark.sql import SparkSession
from support.lakes.checker import check, read_table
from support.lakes.landed import tables_in
from support.messages.produce import Topic, messages_of
from support.messages.records import make_record

from conformare.emission import Message
from conformare_schemas import RUN_GRAINS
from conformare_sink.kafka.topics import Topics
from conformare_sink.lake.lake import open_for_writing
from conformare_sink.landing.report import BatchReport
from conformare_sink.messages import process, skipping
from conformare_sink.messages.decode import Decoded, decode
from conformare_sink.messages.emission import Decision
from conformare_sink.messages.message import Message as KafkaMessage
from conformare_sink.options import Engine, SinkOptions
from conformare_sink.status import read_status
from conformare_sink.stream.replay import (
    READ_AGAIN,
    ReplayProgress,
    ReplayReport,
    Selection,
    replay,
)

CatchUp = Callable[[], list[BatchReport]]


def test_a_replay_lands_what_the_lake_lost_and_nothing_else(
    spark: SparkSession, topic: Topic, options: SinkOptions, lake: str, catch_up: CatchUp
) -> None:
    """By run, by time, as a rehearsal, and then for all."""
    records = {run_id: make_record(run_id) for run_id in ("a", "b", "c")}
    for run_id, record in records.items():
        topic.send(messages_of(record, f"e-{run_id}"))
    catch_up()
    for grain in RUN_GRAINS:
        DeltaTable.forPath(spark, f"{lake}/{grain}").delete("run_id IN ('b', 'c')")

    def again(selection: Selection, *, dry_run: bool = False) -> ReplayReport:
        return replay(spark, options, selection, dry_run=dry_run, on_batch=lambda _: None)

    assert again(Selection(), dry_run=True) == ReplayReport(2, 1, 0, 0, 0)
    assert {row["run_id"] for row in read_table(lake, "runs")} == {"a"}

    now = datetime.now(timezone.utc)
    assert again(Selection(since=now)) == ReplayReport(0, 0, 0, 0, 0)
    assert again(Selection(run_ids=["b"])) == ReplayReport(1, 0, 0, 0, 0)
    assert {row["run_id"] for row in read_table(lake, "runs")} == {"a", "b"}

    assert again(Selection(until=now)) == ReplayReport(1, 2, 0, 0, 0)
    assert check(lake, records.values()).is_sound


def test_a_rehearsal_changes_nothing(
    spark: SparkSession, topic: Topic, options: SinkOptions, lake: str, catch_up: CatchUp
) -> None:
    """Not even a table that is missing is made, nor is anything there meanwhile."""
    topic.send(messages_of(make_record("a"), "e-a"))
    catch_up()
    shutil.rmtree(Path(lake, "purged"))
    topic.send(messages_of(make_record("b"), "e-b"))

    def files() -> dict[Path, int]:
        return {path: path.stat().st_mtime_ns for path in Path(lake).rglob("*")}

    before = files()
    meanwhile: list[dict[Path, int]] = []
    report = replay(
        spark, options, Selection(), dry_run=True, on_batch=lambda _: meanwhile.append(files())
    )
    assert report == ReplayReport(1, 1, 0, 0, 0)
    assert [*meanwhile, files()] == [before, before]


def test_a_part_of_an_emission_is_incomplete_in_a_replay_and_not_kept(
    spark: SparkSession, topic: Topic, options: SinkOptions, lake: str, catch_up: CatchUp
) -> None:
    """What waits for the live sink is untouched by it."""
    half = messages_of(make_record("half"), "e1")
    topic.send(half[1:])
    catch_up()
    pending = read_table(lake, "pending")
    report = replay(spark, options, Selection(), on_batch=lambda _: None)
    assert report == ReplayReport(0, 0, 1, 0, 0)
    assert read_table(lake, "pending") == pending
    topic.send(half[:1])
    catch_up()
    assert check(lake, [make_record("half")]).is_sound
    assert read_status(tables_in(lake)).incomplete == ()


def test_a_part_is_chosen_by_offset_and_by_pipeline(
    spark: SparkSession, topics: Topics, topic: Topic, options: SinkOptions, catch_up: CatchUp
) -> None:
    """Each partition is begun where it was asked for, and the progress is of what is read."""
    catch_up()
    topic.send(messages_of(make_record("a"), "e-a"))
    between = topics.ends()
    for pipeline in ("pipeline", "other"):
        topic.send(messages_of(make_record("b", pipeline=pipeline), f"e-{pipeline}"))
    progress: list[ReplayProgress] = []

    def rehearse(selection: Selection) -> ReplayReport:
        return replay(
            spark,
            options,
            selection,
            dry_run=True,
            on_batch=lambda _: None,
            on_progress=progress.append,
        )

    later = Selection(from_offsets=between, pipelines=["other"])
    assert rehearse(later) == ReplayReport(1, 0, 0, 0, 0)
    assert progress[0] == ReplayProgress(0, 16, 0, landed=0, known=0)
    assert progress[-1] == ReplayProgress(16, 16, 0, landed=1, known=0)
    earlier = Selection(to_offsets=between, pipelines=["pipeline", "none"])
    assert rehearse(earlier) == ReplayReport(1, 0, 0, 0, 0)
    assert progress[-1] == ReplayProgress(24, 24, 0, landed=1, known=0)


@pytest.mark.parametrize(
    "engine", [Engine.DRIVER, pytest.param(Engine.EXECUTORS, marks=pytest.mark.long)]
)
def test_every_emission_is_counted_once_however_batches_cut_it(
    spark: SparkSession,
    topic: Topic,
    options: SinkOptions,
    lake: str,
    catch_up: CatchUp,
    engine: Engine,
) -> None:
    """Those that land, those that are there, those of which a part is missing, and bad messages."""
    landed = [make_record(f"run-{n}") for n in range(10)]
    for record in landed:
        topic.send(messages_of(record, f"e-{record['runs'][0]['run_id']}"))
    topic.send(messages_of(make_record("run-0"), "another")[:-1])
    topic.send(messages_of(make_record("half"), "e-half")[:-1])
    topic.send([Message("owners", b"k", b"garbage")])
    cut = options.model_copy(update={"max_messages_per_batch": 25, "engine": engine})

    def again(*, dry_run: bool = False) -> ReplayReport:
        batches: list[BatchReport] = []
        report = replay(spark, cut, Selection(), dry_run=dry_run, on_batch=batches.append)
        assert len(batches) > 3
        return report

    catch_up()
    assert again() == again(dry_run=True) == ReplayReport(0, 11, 1, 0, 0)
    shutil.rmtree(lake)
    tables_in(lake).open()
    assert again(dry_run=True) == ReplayReport(10, 1, 1, 1, 0)
    assert again() == ReplayReport(10, 1, 1, 1, 0)
    assert check(lake, landed).is_sound
    assert read_table(lake, "pending") == []
    assert not [*Path(lake, "pending").glob("*.parquet")]


def test_known_runs_are_left_out_before_they_are_decoded(
    spark: SparkSession,
    topic: Topic,
    options: SinkOptions,
    lake: str,
    catch_up: CatchUp,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """By a replay, by a rehearsal, and by a sink that reads the topics once more."""
    for n in range(20):
        topic.send(messages_of(make_record(f"run-{n}"), f"e-{n}"))
    catch_up()
    topic.send(messages_of(make_record("new"), "e-new"))
    monkeypatch.setattr(skipping, "FEWEST_MESSAGES", 100)
    decoded: list[int] = []

    def counting(messages: Collection[KafkaMessage], prefix: str) -> Decoded:
        decoded.append(len(messages))
        return decode(messages, prefix)

    monkeypatch.setattr(process, "decode", counting)
    for dry_run in (True, False):
        report = replay(spark, options, Selection(), dry_run=dry_run, on_batch=lambda _: None)
        assert report == ReplayReport(1, 20, 0, 0, 0)
    with open_for_writing(tables_in(lake), "a test") as opened:
        note = opened.source() or {}
        logs = [f"{one['topic_id']}:{p}" for one in note["topics"].values() for p in range(2)]
        opened.note_read(dict.fromkeys(logs, 0))
    (batch,) = catch_up()
    assert batch.emissions == {Decision.REPEAT: 21}
    # The last one knows all of them.
    assert [n for n in decoded if n] == [8, 8]
    assert check(lake, [make_record(f"run-{n}") for n in range(20)] + [make_record("new")]).is_sound


REPLAY_AND_DIE = """
import os, signal, sys
from conformare_sink.messages import process, skipping
from conformare_sink.messages.decode import Decoded, decode
from conformare_sink.messages.emission import Decision
from conformare_sink.messages.message import Message as KafkaMessage
from conformare_sink.options import SinkOptions
from conformare_sink.spark.session import build_session
from conformare_sink.stream import replay_note
from conformare_sink.stream.replay import Selection, replay

batches = 0

def die_in_time(_):
    global batches
    batches += 1
    if batches == 10:
        os.kill(os.getpid(), signal.SIGKILL)

replay_note.NOTE_SECONDS, replay_note.NEAR = 0.0, 5
servers, lake, prefix = sys.argv[1:]
options = SinkOptions(
    bootstrap_servers=servers, lake=lake, topic_prefix=prefix, max_messages_per_batch=40
)
spark = build_session("killed", master="local[1]", short_lived=True)
replay(spark, options, Selection(), on_batch=die_in_time)
"""


@pytest.mark.long
def test_a_replay_that_is_killed_resumes(
    spark: SparkSession, topic: Topic, options: SinkOptions, lake: str, catch_up: CatchUp
) -> None:
    """It reads what was left and what waited, and the lake is as by one replay."""
    records = [make_record(f"run-{n}") for n in range(60)]
    topic.send(messages_of(make_record("never whole"), "e-never")[1:])
    for record in records:
        topic.send(messages_of(record, f"e-{record['runs'][0]['run_id']}"))
    tables_in(lake).open()
    cut = options.model_copy(update={"max_messages_per_batch": 40})
    killed = subprocess.run(
        [
            *(sys.executable, "-c", REPLAY_AND_DIE),
            *(cut.bootstrap_servers, cut.lake, cut.topic_prefix),
        ],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    n_landed = len(read_table(lake, "runs"))
    assert 0 < n_landed < len(records)
    assert [*Path(lake).glob("_replay-*")]

    # A rehearsal begins at the beginning, and leaves the note where it is.
    rehearsed = replay(spark, cut, Selection(), dry_run=True, on_batch=lambda _: None)
    left = len(records) - n_landed
    assert rehearsed == ReplayReport(left, n_landed, 1, 0, 0)

    batches: list[BatchReport] = []
    resumed = replay(spark, cut, Selection(), on_batch=batches.append)
    n_messages = len(records) * 8 + 7
    assert resumed.read_before > n_messages / 2
    assert sum(batch.messages for batch in batches) < n_messages / 2
    assert batches[0].batch_id == READ_AGAIN
    assert (resumed.landed, resumed.incomplete, resumed.quarantined) == (left, 1, 0)
    assert check(lake, records).is_sound
    assert not [*Path(lake).glob("_replay-*")]
    again = replay(spark, cut, Selection(), on_batch=lambda _: None)
    assert again == ReplayReport(0, len(records), 1, 0, 0)
    catch_up()
    assert check(lake, records).is_sound
