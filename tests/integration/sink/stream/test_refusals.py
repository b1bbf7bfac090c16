"""What the sink refuses, in one line that says what to do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from conformare_sink.errors import (
    BrokerUnreachableError,
    CheckpointRefusedError,
    LakeBusyError,
    LakeRefusedError,
    NoLakeError,
    TopicsMissingError,
)
from conformare_sink.kafka.topics import Topics
from conformare_sink.lake.lake import open_for_writing
from conformare_sink.lake.tables.places import folder_tables
from conformare_sink.landing.report import BatchReport
from conformare_sink.options import SinkOptions, StorageSettings
from conformare_sink.status import read_status
from conformare_sink.stream.replay import Selection, replay
from conformare_sink.stream.stream import SinkStream

CatchUp = Callable[[], list[BatchReport]]


def ignore(_: BatchReport) -> None:
    """Take no notice of a batch."""


def test_a_folder_with_something_else_is_no_lake(catch_up: CatchUp, lake: str) -> None:
    """And it is left as it was."""
    Path(lake).mkdir()
    Path(lake, "thesis.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(LakeRefusedError, match="is not a conformare lake"):
        catch_up()
    assert [path.name for path in Path(lake).iterdir()] == ["thesis.txt"]


def test_another_table_under_a_grains_name_is_left_alone(
    spark: SparkSession, catch_up: CatchUp, lake: str
) -> None:
    """Even where the rest of the folder could be a lake."""
    spark.range(3).write.format("delta").save(f"{lake}/runs")
    with pytest.raises(LakeRefusedError, match="not conformare's table 'runs'"):
        catch_up()
    assert spark.read.format("delta").load(f"{lake}/runs").count() == 3


def test_a_checkpoint_of_something_else_is_refused(
    spark: SparkSession, options: SinkOptions, tmp_path: Path
) -> None:
    """Spark would begin to write into it."""
    folder = tmp_path / "checkpoint"
    folder.mkdir()
    (folder / "thesis.txt").write_text("mine", encoding="utf-8")
    elsewhere = options.model_copy(update={"checkpoint": folder})
    with pytest.raises(CheckpointRefusedError, match="is not a checkpoint of conformare"):
        SinkStream(spark, elsewhere, ignore).run_once()


def test_a_checkpoint_of_another_lake_is_refused(
    spark: SparkSession, options: SinkOptions, tmp_path: Path
) -> None:
    """It would skip what the other lake has landed."""
    shared = options.model_copy(update={"checkpoint": tmp_path / "checkpoint"})
    SinkStream(spark, shared, ignore).run_once()
    other = shared.model_copy(update={"lake": str(tmp_path / "other")})
    with pytest.raises(CheckpointRefusedError, match="is the checkpoint of another lake"):
        SinkStream(spark, other, ignore).run_once()


def test_a_lake_has_one_writer_at_a_time(
    spark: SparkSession, options: SinkOptions, catch_up: CatchUp, topics: Topics, lake: str
) -> None:
    """A second sink or a replay is told who writes."""
    assert topics.partitions()
    with open_for_writing(folder_tables(lake, StorageSettings()), "a test"):
        with pytest.raises(LakeBusyError, match="is being written by a test, process"):
            catch_up()
        with pytest.raises(LakeBusyError, match="is being written by a test, process"):
            replay(spark, options, Selection(), on_batch=ignore)
    catch_up()


def test_a_broker_that_does_not_answer_is_named(spark: SparkSession, options: SinkOptions) -> None:
    """After a bounded wait."""
    other = {"bootstrap_servers": "127.0.0.1:1", "broker_timeout_seconds": 0.5}
    nowhere = options.model_copy(update=other)
    with pytest.raises(BrokerUnreachableError, match=r"no Kafka broker answers at 127\.0\.0\.1:1"):
        SinkStream(spark, nowhere, ignore).run_once()
    assert not Path(options.lake).exists()


def test_a_replay_needs_the_topics_and_a_rehearsal_the_lake(
    spark: SparkSession, options: SinkOptions, topics: Topics
) -> None:
    """A wrong prefix would otherwise replay nothing, in silence."""
    wrong = options.model_copy(update={"topic_prefix": "wrong."})
    with pytest.raises(TopicsMissingError, match=r"wrong\.runs"):
        replay(spark, wrong, Selection(), on_batch=ignore)
    assert topics.names
    with pytest.raises(NoLakeError, match="there is no conformare lake at"):
        replay(spark, options, Selection(), dry_run=True, on_batch=ignore)


def test_there_is_no_status_without_a_lake(lake: str) -> None:
    """The error names the folder."""
    with pytest.raises(NoLakeError, match="there is no conformare lake at"):
        read_status(folder_tables(lake, StorageSettings()))
