"""What may have happened while the sink was away: it is told, and the told command goes on."""

from __future__ import annotations

import logging
import shlex
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from pyspark.sql import SparkSession
from support.checker import check, read_table
from support.produce import Topic, messages_of
from support.records import TYPICAL_ROWS, Record, make_record
from support.topic_faults import TopicFaults

from conformare_schemas import topic_name
from conformare_sink.errors import CheckpointRefusedError, ContinuityError, StreamFailedError
from conformare_sink.kafka.cluster import PartitionOffsets
from conformare_sink.kafka.topics import Topics
from conformare_sink.landing.report import BatchReport
from conformare_sink.messages.emission import Decision
from conformare_sink.options import SinkOptions
from conformare_sink.status import read_status
from conformare_sink.stream.stream import SinkStream

CatchUp = Callable[..., list[BatchReport]]


@pytest.fixture
def catch_up(spark: SparkSession, options: SinkOptions) -> CatchUp:
    """Runs the sink once, with other options where they are given."""

    def run_once(**other: str) -> list[BatchReport]:
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
    waiting = {run.run_id: run.missing for run in read_status(options.lake).incomplete}
    assert waiting == dict.fromkeys(("c", "d", "e"), gone)
    assert len(list(Path(options.lake).glob("_checkpoint.*"))) == 1


def break_off(_: BatchReport) -> None:
    """End a batch that has landed before Spark can note it."""
    raise OSError("the disk of the checkpoint is gone")


def test_a_checkpoint_that_is_gone_or_damaged_costs_no_more_than_time(
    spark: SparkSession,
    topic: Topic,
    topics: Topics,
    topic_prefix: str,
    options: SinkOptions,
    faults: TopicFaults,
    catch_up: CatchUp,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The lake knows its runs. What expired meanwhile is known from the consumer group.

    A batch that was not noted is executed again, though Spark fails on its report of that.
    """
    caplog.set_level(logging.INFO, "conformare_sink")
    runs = topic_name("runs", topic_prefix)
    landed = send(topic, "a", "b")
    with pytest.raises(StreamFailedError):
        SinkStream(spark, options, break_off).run_once()
    assert count(catch_up(), Decision.REPEAT) == 2
    shutil.rmtree(options.checkpoint_location)
    assert count(catch_up(), Decision.REPEAT) == 2
    assert "16 message(s) that this lake's sink has read are read again" in caplog.text

    read = of(topics.ends(), runs)
    send(topic, "c")
    ends = of(topics.ends(), runs)
    for partition, end in ends.items():
        faults.expire(runs, partition, end)
    checkpoint = Path(options.checkpoint_location)
    for note in (checkpoint / "metadata", max((checkpoint / "commits").glob("[0-9]*"))):
        whole = note.read_bytes()
        note.write_bytes(b"")
        with pytest.raises(ContinuityError, match=rf"{note.name} cannot be read"):
            catch_up()
        note.write_bytes(whole)
    last = max((checkpoint / "offsets").glob("[0-9]*"))
    last.write_bytes(b"")
    with pytest.raises(
        ContinuityError, match=r"offsets/\d+ cannot be read \(nothing is lost"
    ) as told:
        catch_up()
    assert told.value.found == ("checkpoint damaged", "messages expired")
    assert told.value.lost == tuple(
        (runs, partition, first, ends[partition])
        for partition, first in read.items()
        if first < ends[partition]
    )
    landed += send(topic, "d")
    catch_up(accept_loss=told_code(told.value))
    assert check(options.lake, landed).is_sound


def test_a_lake_that_was_deleted_under_its_checkpoint_is_filled_again(
    topic: Topic,
    topic_prefix: str,
    options: SinkOptions,
    faults: TopicFaults,
    catch_up: CatchUp,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """After somebody has agreed: the place may be the wrong one. More partitions need nobody."""
    caplog.set_level(logging.INFO, "conformare_sink")
    owners = topic_name("owners", topic_prefix)
    landed = send(topic, "a", "b")
    catch_up()
    faults.add_partitions(owners, 4)
    landed += send(topic, "c", "d", "e")
    catch_up()
    assert f"{owners} has 2 partition(s) more, read from their beginning" in caplog.text
    assert check(options.lake, landed).is_sound

    with pytest.raises(CheckpointRefusedError, match="is the checkpoint of other topics") as other:
        catch_up(topic_prefix=f"{topic_prefix}other.")
    assert f" --checkpoint {options.checkpoint_location}-" in str(other.value)

    for table in Path(options.lake).iterdir():
        if table.is_dir() and table.name != "_checkpoint":
            shutil.rmtree(table)
    with pytest.raises(ContinuityError, match=r"made again .*nothing is lost") as told:
        catch_up()
    assert told.value.found == ("lake replaced",)
    assert read_table(options.lake, "runs") == []
    assert count(catch_up(accept_loss=told_code(told.value)), Decision.LAND) == 5
    assert check(options.lake, landed).is_sound
    assert catch_up() == []
