"""Large batches for tables in a catalog: executors leave rows in files, Spark's own Delta appends them."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from pyspark.errors import StreamingQueryException
from pyspark.sql import SparkSession
from support.lakes.checker import check, read_table, waiting_runs
from support.messages.produce import Topic, messages_of
from support.messages.records import make_record

from conformare.emission import Message
from conformare_sink.errors import SinkError
from conformare_sink.lake.layout import ARRIVALS
from conformare_sink.lake.tables.catalog.table import CatalogTable
from conformare_sink.lake.tables.data_file import DataFile
from conformare_sink.landing.report import BatchReport
from conformare_sink.messages.emission import Decision
from conformare_sink.options import CatalogOptions, Engine, SinkOptions
from conformare_sink.spark.collect import Collector
from conformare_sink.stream.stream import SinkStream

pytestmark = pytest.mark.long

RECORDS = [make_record(f"run-{n}", rows={"contexts": 2, "risks": 1}) for n in range(20)]


class InCatalog(NamedTuple):
    """A sink whose tables are in a catalog."""

    options: SinkOptions
    tables: Path
    """Folder of the schema, which the independent checker reads as a lake."""


@pytest.fixture
def sink(spark: SparkSession, options: SinkOptions, tmp_path: Path) -> Iterator[InCatalog]:
    """Its executors process every batch."""
    schema, folder = f"governance_{uuid.uuid4().hex[:8]}", tmp_path / "schema"
    spark.sql(f"CREATE SCHEMA {schema} LOCATION '{folder}'")
    chosen = {"catalog": CatalogOptions(schema_name=schema), "engine": Engine.EXECUTORS}
    yield InCatalog(options.model_copy(update=chosen), folder)
    spark.sql(f"DROP SCHEMA {schema} CASCADE")


def arriving(options: SinkOptions) -> list[Path]:
    """Return the files that lie in the lake's folder on their way into a table."""
    return [*Path(options.lake, ARRIVALS).rglob("*.parquet")]


def land(spark: SparkSession, options: SinkOptions) -> list[BatchReport]:
    """Land what the topics hold; return the reports."""
    reports: list[BatchReport] = []
    SinkStream(spark, options, reports.append).run_once()
    return reports


def test_runs_land_whole_and_once_in_the_tables_of_a_catalog(
    spark: SparkSession, topic: Topic, sink: InCatalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """None of their messages comes into the driver, and no file stays in the lake's folder."""

    def refuse(*_: object) -> None:
        raise AssertionError("messages come into the driver")

    monkeypatch.setattr(Collector, "portions", refuse)
    monkeypatch.setattr(Collector, "dealt", refuse)
    for number, record in enumerate(RECORDS):
        topic.send(messages_of(record, f"e{number}", max_message_bytes=900))
    topic.send(messages_of(make_record("half"), "half")[1:])
    topic.send([Message("runs", b"key", b"garbage")])
    (first,) = land(spark, sink.options)
    assert first.emissions == {Decision.LAND: len(RECORDS), Decision.WAIT: 1}
    assert first.quarantined == 1
    topic.send(messages_of(RECORDS[1], "another"))
    topic.send(messages_of(make_record("half"), "half")[:1])
    (again,) = land(spark, sink.options)
    assert again.emissions == {Decision.REPEAT: 1, Decision.LAND: 1}
    assert check(sink.tables, [*RECORDS, make_record("half")]).is_sound
    assert waiting_runs(sink.tables) == set()
    assert [row["value"] for row in read_table(sink.tables, "quarantine")] == [b"garbage"]
    assert arriving(sink.options) == []


def test_what_a_broken_landing_left_in_a_catalog_is_removed(
    spark: SparkSession, topic: Topic, sink: InCatalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The files of `runs` tell whose rows they are: the children that are there without their runs.

    The catalog has its tables in the lake's own folder, where nobody may take them for such files.
    """
    options = sink.options.model_copy(update={"lake": str(sink.tables)})
    add = CatalogTable.add

    def add_children(self: CatalogTable, files: Collection[DataFile], read: Any = None) -> None:
        if self._definition.name == "runs":
            raise SinkError("the sink ends here")
        add(self, files, read)

    for number, record in enumerate(RECORDS):
        topic.send(messages_of(record, f"e{number}"))
    monkeypatch.setattr(CatalogTable, "add", add_children)
    with pytest.raises((SinkError, StreamingQueryException)):
        land(spark, options)
    assert read_table(sink.tables, "runs") == []
    assert read_table(sink.tables, "contexts")
    monkeypatch.setattr(CatalogTable, "add", add)
    (report,) = land(spark, options)
    assert report.emissions == {Decision.LAND: len(RECORDS)}
    assert check(sink.tables, RECORDS).is_sound
    assert arriving(options) == []
