"""What may have happened while the sink was away: it is told, and the told command goes on."""

from __future__ import annotations

import logging
import shlex
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from deltalake import DeltaTable
from pyspark.sql import SparkSession
from support.lakes.checker import check, read_table, waiting_runs
from support.lakes.landed import tables_in
from support.messages.produce import Topic, messages_of
from support.messages.records import TYPICAL_ROWS, Record, make_record
from support.servers.topic_faults import TopicFaults

from conformare.emission import Message
from conformare_schemas import topic_name
from conformare_sink.errors import CheckpointRefusedError, ContinuityError, StreamFailedError
from conformare_sink.kafka.offsets import PartitionOffsets
from conformare_sink.kafka.topics import Topics
from conformare_sink.landing.report import BatchReport
from conformare_sink.messages.emission import Decision
from conformare_sink.options import SinkOptions
from conformare_sink.status import read_status
from conformare_sink.stream.replay import Selection, replay
from conformare_sink.stream.stream import SinkStream

CatchUp = Callable[..., list[BatchReport]]


@pytest.fixture
def catch_up(spark: SparkSession, options: SinkOptions) -> CatchUp:
    """Runs the sink once, with other options where they are given."""

    def run_once(**other: Any) -> list[BatchReport]:
        reports: list[BatchReport] = []
        SinkStream(spark, options.model_copy(update=other), reports.append).run_once()
        return reports

    return run_once


@pytest.fixture
def faults(topics: Topics) -> TopicFaults:
    """Harms the test's topics."""
    return TopicFaults(topics)


def send(topic: Topic, *run_ids: str, without: str | None = None) -> list[Record]:
    """Produce whole runs, with no row of one grain where it is said."""
    rows = {grain: n for grain, n in TYPICAL_ROWS.items() if grain != without}
    records = [make_record(run_id, rows=rows) for run_id in run_ids]
    for record in records:
        topic.send(messages_of(record, f"e-{record['runs'][0]['run_id']}"))
    return records


def count(reports: Iterable[BatchReport], decision: Decision) -> int:
    """How many emissions met a decision, over all batches."""
    return sum(report.emissions[decision] for report in reports)


def told_code(error: ContinuityError) -> str:
    """The code in the command that an error ends with."""
    words = shlex.split(str(error).rpartition(": ")[2])
    assert words[:2] == ["conformare", "sink"]
    assert words[-2] == "--accept-loss"
    return words[-1]


def of(offsets: PartitionOffsets, topic: str) -> dict[int, int]:
    """The offsets of one topic, by partition."""
    return {partition: offset for (name, partition), offset in offsets.items() if name == topic}


def test_what_is_gone_before_it_was_read_is_told_and_all_else_lands(
    topic: Topic,
    topics: Topics,
    topic_prefix: str,
    options: SinkOptions,
    faults: TopicFaults,
    catch_up: CatchUp,
) -> None:
    """A topic deleted, one created again, one whose retention passed."""
    contexts, risks, sinks = (topic_name(g, topic_prefix) for g in ("contexts", "risks", "sinks"))
    landed = send(topic, "a", "b")
    catch_up()
    read = topics.ends()
    send(topic, "c", "d", "e")
    ends = topics.ends()
    for partition, end in of(ends, risks).items():
        faults.expire(risks, partition, end)
    faults.delete(contexts)
    faults.recreate(sinks)
    faults.delete(contexts)
    landed += send(topic, "f", without="contexts")

    with pytest.raises(ContinuityError) as told:
        catch_up()
    error = told.value
    assert error.found == ("topic deleted", "topic re-created", "messages expired")
    assert error.lost == (
        *((contexts, partition, first, None) for partition, first in of(read, contexts).items()),
        *((sinks, partition, first, None) for partition, first in of(read, sinks).items()),
        *(
            (risks, partition, first, ends[risks, partition])
            for partition, first in of(read, risks).items()
            if first < ends[risks, partition]
        ),
    )
    assert "lost: at most 3 message(s)" in str(error)
    with pytest.raises(ContinuityError, match=told_code(error)):
        catch_up(accept_loss="another")
    assert contexts not in topics.partitions()

    reports = catch_up(accept_loss=told_code(error))
    assert count(reports, Decision.LAND) == 1
    assert check(options.lake, landed).is_sound
    gone = {"contexts": 4, "risks": 5, "sinks": 2}
    waiting = {run.run_id: run.missing for run in read_status(tables_in(options.lake)).incomplete}
    assert waiting == dict.fromkeys(("c", "d", "e"), gone)
    assert catch_up() == []


def break_off(_: BatchReport) -> None:
    """End a batch that has landed before Spark can note it."""
    raise OSError("the disk of the checkpoint is gone")


def test_a_sink_resumes_where_its_lake_has_read_to(
    spark: SparkSession,
    topic: Topic,
    topics: Topics,
    topic_prefix: str,
    options: SinkOptions,
    faults: TopicFaults,
    catch_up: CatchUp,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Without a checkpoint, also behind a batch that Spark has not noted, or that landed no run.

    What expired meanwhile is known by that.
    """
    caplog.set_level(logging.INFO, "conformare_sink")
    runs = topic_name("runs", topic_prefix)
    landed = send(topic, "a", "b")
    with pytest.raises(StreamFailedError):
        SinkStream(spark, options, break_off).run_once()
    assert catch_up() == []
    half = messages_of(make_record("half"), "e-half")
    topic.send(half[2:])
    (waited,) = catch_up()
    assert (waited.messages, waited.pending) == (len(half) - 2, 1)
    topic.send([Message("owners", b"k", b"garbage")])
    (quarantined,) = catch_up()
    assert (quarantined.messages, quarantined.quarantined) == (1, 1)
    assert catch_up() == []
    topic.send(half[:2])
    (rest,) = catch_up()
    assert (rest.messages, rest.emissions[Decision.LAND]) == (2, 1)
    landed.append(make_record("half"))
    assert "read again" not in caplog.text

    read = of(topics.ends(), runs)
    send(topic, "c")
    ends = of(topics.ends(), runs)
    for partition, end in ends.items():
        faults.expire(runs, partition, end)
    with pytest.raises(ContinuityError) as told:
        catch_up()
    assert told.value.found == ("messages expired",)
    assert told.value.lost == tuple(
        (runs, partition, first, ends[partition])
        for partition, first in read.items()
        if first < ends[partition]
    )
    landed += send(topic, "d")
    assert count(catch_up(accept_loss=told_code(told.value)), Decision.LAND) == 1
    assert catch_up() == []
    assert check(options.lake, landed).is_sound


def test_partitions_may_be_added_and_a_topic_made_again_at_any_time(
    topic: Topic,
    topics: Topics,
    topic_prefix: str,
    options: SinkOptions,
    faults: TopicFaults,
    spark: SparkSession,
    catch_up: CatchUp,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """While the sink is away, and while it runs: then they are noted like the others."""
    caplog.set_level(logging.INFO, "conformare_sink")
    owners, sinks = (topic_name(grain, topic_prefix) for grain in ("owners", "sinks"))
    landed = send(topic, "a", "b")
    catch_up()
    faults.add_partitions(owners, 4)
    landed += send(Topic(options.bootstrap_servers, topic_prefix), "c", "d", "e")
    assert count(catch_up(), Decision.LAND) == 3
    assert f"{owners} has 2 partition(s) more, read from their beginning" in caplog.text

    # The first batch of a stream ends where the topics end then; more partitions come before the next.
    def add(_: BatchReport) -> None:
        if topics.partitions()[sinks] == 2:
            faults.add_partitions(sinks, 5)
            anew = Topic(options.bootstrap_servers, topic_prefix)  # knows of them
            landed.extend(send(anew, *(f"new-{n}" for n in range(12))))
        elif check(options.lake, landed).is_sound:
            stream.stop()

    landed += send(topic, "f")
    stream = SinkStream(spark, options, add)
    stream.run("100 milliseconds")
    assert check(options.lake, landed).is_sound
    assert max(partition for partition, end in of(topics.ends(), sinks).items() if end) > 1
    assert catch_up() == []
    for partition, end in of(topics.ends(), sinks).items():
        faults.expire(sinks, partition, end)
    assert catch_up() == []

    faults.recreate(sinks)
    with pytest.raises(ContinuityError, match=r"created again: .*\[4\] from \d+") as told:
        catch_up()
    landed += send(topic, "g")
    assert count(catch_up(accept_loss=told_code(told.value)), Decision.LAND) == 1
    assert check(options.lake, landed).is_sound


def test_a_table_that_was_restored_to_an_older_version_is_filled_by_a_replay(
    spark: SparkSession, topic: Topic, options: SinkOptions, catch_up: CatchUp
) -> None:
    """Each of its runs once, though the rows of their children are there already."""
    landed = send(topic, "a")
    catch_up()
    runs = f"{options.lake}/runs"
    version = DeltaTable(runs).version()
    landed += send(topic, "b", "c")
    catch_up()
    DeltaTable(runs).restore(version)
    assert [row["run_id"] for row in read_table(options.lake, "runs")] == ["a"]
    assert catch_up() == []
    report = replay(spark, options, Selection(), on_batch=lambda _: None)
    assert (report.landed, report.repeated) == (2, 1)
    assert check(options.lake, landed).is_sound


def test_a_whole_lake_that_was_put_back_reads_on_from_there(
    topic: Topic, options: SinkOptions, catch_up: CatchUp, tmp_path: Path
) -> None:
    """A copy of its folder knows how far it had been read; what waited then waits again."""
    landed = send(topic, "a")
    half = messages_of(make_record("half"), "e-half")
    topic.send(half[3:])
    catch_up()
    shutil.copytree(options.lake, tmp_path / "copy")
    landed += send(topic, "b")
    topic.send(half[:3])
    assert count(catch_up(), Decision.LAND) == 2
    shutil.rmtree(options.lake)
    shutil.copytree(tmp_path / "copy", options.lake)
    assert waiting_runs(options.lake) == {("pipeline", "half")}
    (again,) = catch_up()
    assert (again.messages, again.emissions[Decision.LAND]) == (8 + 3, 2)
    assert check(options.lake, [*landed, make_record("half")]).is_sound


def test_a_lake_that_was_deleted_under_its_sink_is_filled_again(
    topic: Topic,
    topic_prefix: str,
    options: SinkOptions,
    catch_up: CatchUp,
    tmp_path: Path,
) -> None:
    """After somebody has agreed, where the sink remembers its lake: the place may be the wrong one."""
    checkpoint = tmp_path / "checkpoint"
    landed = send(topic, "a", "b")
    catch_up(checkpoint=checkpoint)

    with pytest.raises(ContinuityError, match="the lake has read other topics: ") as other:
        catch_up(checkpoint=checkpoint, topic_prefix=f"{topic_prefix}other.")
    assert other.value.found == ("other topics",)
    with pytest.raises(
        CheckpointRefusedError, match="is the checkpoint of another lake"
    ) as foreign:
        catch_up(checkpoint=checkpoint, lake=str(tmp_path / "another"))
    assert f" --checkpoint {checkpoint}-" in str(foreign.value)

    shutil.rmtree(options.lake)
    with pytest.raises(ContinuityError, match=r"made again .*nothing is lost") as told:
        catch_up(checkpoint=checkpoint)
    assert told.value.found == ("lake replaced",)
    assert read_table(options.lake, "runs") == []
    accepted = {"accept_loss": told_code(told.value), "checkpoint": checkpoint}
    assert count(catch_up(**accepted), Decision.LAND) == 2
    assert check(options.lake, landed).is_sound
    assert catch_up(checkpoint=checkpoint) == []
    # Nobody who remembers it: all is read again without a word.
    shutil.rmtree(options.lake)
    assert count(catch_up(), Decision.LAND) == 2
    assert check(options.lake, landed).is_sound
