"""Topics and a lake together, for tests that share them."""

from __future__ import annotations

from dataclasses import dataclass

from pyspark.sql import SparkSession

from conformare_sink.lake.tables.places import lake_tables
from conformare_sink.lake.tables.tables import LakeTables
from conformare_sink.landing.report import BatchReport
from conformare_sink.messages.emission import Decision
from conformare_sink.options import SinkOptions
from conformare_sink.stream.replay import ReplayReport, Selection, replay
from conformare_sink.stream.stream import SinkStream
from support.messages.produce import Topic


@dataclass(frozen=True)
class Store:
    """Topics and a lake."""

    spark: SparkSession
    options: SinkOptions
    topic: Topic

    @property
    def lake(self) -> str:
        """Folder of the lake."""
        return self.options.lake

    @property
    def tables(self) -> LakeTables:
        """The lake's tables."""
        return lake_tables(self.spark, self.options)

    def catch_up(self) -> dict[Decision, int]:
        """Run the sink until it has caught up; return how many emissions met each decision."""
        reports: list[BatchReport] = []
        SinkStream(self.spark, self.options, reports.append).run_once()
        return {known: sum(r.emissions.get(known, 0) for r in reports) for known in Decision}

    def again(self, selection: Selection, *, dry_run: bool = False) -> ReplayReport:
        """Replay."""
        return replay(self.spark, self.options, selection, dry_run=dry_run, on_batch=lambda _: None)
