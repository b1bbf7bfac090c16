"""The topics are read again, from the beginning or a part of them, into the same lake."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from tempfile import TemporaryDirectory
from uuid import uuid4

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from conformare_sink.errors import TopicsMissingError
from conformare_sink.kafka.cluster import PartitionOffsets
from conformare_sink.kafka.source import KafkaSource
from conformare_sink.kafka.topics import Topics
from conformare_sink.lake.digests import DigestSet, run_digest, runs_in
from conformare_sink.lake.folder import Folder
from conformare_sink.lake.lake import Lake, open_for_writing
from conformare_sink.lake.own_tables import PURGED
from conformare_sink.lake.purge import purged_among
from conformare_sink.lake.scan import RUN_DIGEST, read_digests
from conformare_sink.lake.tables import LakeTables
from conformare_sink.landing.batch import BatchLanding
from conformare_sink.landing.landing import Landing, LandingPlace
from conformare_sink.landing.pending import PendingMessages
from conformare_sink.landing.report import BatchReport
from conformare_sink.messages.emission import Decision, RunKey
from conformare_sink.messages.envelope import Envelope, Rejected
from conformare_sink.options import SinkOptions
from conformare_sink.spark.collect import Collector
from conformare_sink.stream.offsets_of_batch import offsets_of_batch
from conformare_sink.stream.query import LandingQuery
from conformare_sink.stream.resume.checkpoint import SCRATCH
from conformare_sink.stream.stream import WAKE_SECONDS


@dataclass(frozen=True)
class Selection:
    """Which messages of the topics are replayed: all that fit every condition given."""

    since: datetime | None = None
    """Messages that the broker took at this time or later."""
    until: datetime | None = None
    """Messages that the broker took before this time."""
    run_ids: Collection[str] = ()
    """Messages of these runs."""
    pipelines: Collection[str] = ()
    """Runs of these pipelines; known only when a message is decoded."""
    from_offsets: PartitionOffsets = field(default_factory=dict)
    """Of these partitions, messages at this offset or later; of the others, all."""
    to_offsets: PartitionOffsets = field(default_factory=dict)
    """Of these partitions, messages before this offset; of the others, all."""

    def starts(self, topics: Topics) -> PartitionOffsets:
        """Return the offset at which each partition is begun.

        Raises:
            BrokerUnreachableError: No broker answers.
            TopicsMissingError: An offset is of a partition that does not exist.
        """
        starts, ends = topics.starts(self.since), topics.ends()
        for place in (*self.from_offsets, *self.to_offsets):
            if place not in starts:
                raise TopicsMissingError(
                    f"{topics.bootstrap_servers} has no partition {place[1]} of a topic {place[0]} "
                    "with this topic prefix"
                )
        asked = {place: min(offset, ends[place]) for place, offset in self.from_offsets.items()}
        return {place: max(start, asked.get(place, 0)) for place, start in starts.items()}

    def of(self, messages: DataFrame) -> DataFrame:
        """Return the messages that fit, but for their pipelines."""
        if self.since is not None:
            # The stream begins there already; messages need not be in the order of their time.
            messages = messages.where(F.col("timestamp") >= F.lit(self.since))
        if self.until is not None:
            messages = messages.where(F.col("timestamp") < F.lit(self.until))
        if self.run_ids:
            keys = [bytearray(run_id, "utf-8") for run_id in self.run_ids]
            messages = messages.where(F.col("key").isin(keys))
        for (topic, partition), offset in self.to_offsets.items():
            there = (F.col("topic") == topic) & (F.col("partition") == partition)
            messages = messages.where(~there | (F.col("offset") < offset))
        return messages


@dataclass(frozen=True)
class ReplayReport:
    """What a replay did, or would do."""

    landed: int
    """Runs that were not in the lake and are now."""
    repeated: int
    """Emissions whose run was in the lake, or came from another emission."""
    incomplete: int
    """Emissions of which the selection holds a part only."""
    quarantined: int
    """Messages that could not be used."""
    purged: int
    """Emissions of runs that were deleted on purpose."""


def replay(
    spark: SparkSession,
    options: SinkOptions,
    selection: Selection,
    *,
    dry_run: bool = False,
    on_batch: Callable[[BatchReport], None],
    on_progress: Callable[[int, int], None] = lambda _read, _of: None,
) -> ReplayReport:
    """Read the topics again and land what the lake does not have.

    It has a checkpoint of its own, which ends with it; it is safe to repeat and to break off.

    Args:
        spark: A session from `build_session`.
        options: Where from and where to; the sink's own checkpoint is not touched.
        selection: Which messages.
        dry_run: Whether only to tell what would land: the lake, as it is when that begins, is read,
            and nothing is written to it or into its folder.
        on_batch: Called with the report of every batch.
        on_progress: Called again and again with how many messages were read, and how many there
            are to read: all of the topics from where the replay begins.

    Raises:
        BrokerUnreachableError: No broker answers.
        TopicsMissingError: A topic or a partition does not exist.
        LakeBusyError: A sink is writing to the lake.
        LakeRefusedError: The lake's folder holds something else.
        NoLakeError: A dry run was asked for where there is no lake.
        StreamFailedError: The query ended with an error.
    """
    topics = Topics.of(options)
    topics.require_all()
    reports: list[BatchReport] = []

    def report(batch: BatchReport) -> None:
        reports.append(batch)
        on_batch(batch)

    starts = selection.starts(topics)
    to_read = sum(end - starts[place] for place, end in topics.ends().items())
    tables = LakeTables(spark, options.lake, options.catalog)
    with (
        _destination(tables, dry_run=dry_run) as place,
        _scratch(spark, options.lake, dry_run=dry_run) as scratch,
    ):
        # What the selection holds a part of only waits for nothing beyond the replay's end.
        landing = Landing(place, PendingMessages(), options.topic_prefix, selection.pipelines)
        source = KafkaSource(spark, topics, selection.of)
        messages = source.stream(options.max_messages_per_batch, starts)
        land = BatchLanding(landing, Collector(source), partial(offsets_of_batch, scratch), report)
        query = LandingQuery(messages, land, scratch, None)
        try:
            ended = False
            while not ended:
                ended = query.wait(WAKE_SECONDS)
                _, offsets = query.progress()
                read = sum(offset - starts[place] for place, offset in offsets.items())
                on_progress(read, to_read)
        finally:
            query.stop()
    return _sum(reports)


@contextmanager
def _destination(tables: LakeTables, *, dry_run: bool) -> Iterator[LandingPlace]:
    if not dry_run:
        with open_for_writing(tables, "a replay") as lake:
            yield ReplayedLake(lake)
    else:
        tables.require()
        yield Rehearsal(tables)


@contextmanager
def _scratch(spark: SparkSession, lake: str, *, dry_run: bool) -> Iterator[str]:
    """A folder for the replay's checkpoint, which ends with it."""
    if dry_run:
        # Executors write nothing into a checkpoint, so it can be where they do not reach.
        with TemporaryDirectory(prefix="conformare") as folder:
            yield f"file://{folder}"
    else:
        scratch = f"{lake.rstrip('/')}/{SCRATCH}{uuid4()}"
        try:
            yield scratch
        finally:
            Folder(spark, scratch).delete()


class ReplayedLake:
    """A lake to which a replay adds whole runs and unusable messages, and nothing that waits."""

    def __init__(self, lake: Lake) -> None:
        self.known_runs = lake.known_runs
        self.purged_runs = lake.purged_runs
        self.land = lake.land
        self.quarantine = lake.quarantine

    def keep_waiting(self, envelopes: Collection[Envelope]) -> None:
        """Keep nothing: the rest may be outside the selection for good."""


class Rehearsal:
    """A lake to which nothing is written: what would land is remembered.

    Args:
        tables: Those of the real one, read only.
    """

    def __init__(self, tables: LakeTables) -> None:
        self._known = read_digests(tables, "runs", RUN_DIGEST)
        self._purged = DigestSet()
        if tables.exist(PURGED.name):  # a lake that only jobs have written to has no such table
            self._purged = read_digests(tables, PURGED.name, RUN_DIGEST)

    def known_runs(self, runs: Collection[RunKey]) -> set[RunKey]:
        """Return which of some runs are in the lake or would be by now."""
        return runs_in(self._known, runs)

    def purged_runs(self, runs: Collection[RunKey]) -> set[RunKey]:
        """Return which of some runs were deleted from the lake on purpose."""
        return purged_among(runs, self._purged)

    def land(self, rows: Mapping[str, pa.Table], runs: Collection[RunKey]) -> None:  # noqa: ARG002
        """Remember the runs."""
        self._known.add([*map(run_digest, runs)])

    def quarantine(self, rejected: Collection[Rejected]) -> int:
        """Keep nothing; return how many would be kept."""
        return len(rejected)

    def keep_waiting(self, envelopes: Collection[Envelope]) -> None:
        """Keep nothing."""


def _sum(reports: Sequence[BatchReport]) -> ReplayReport:
    emissions: Counter[Decision] = Counter()
    for report in reports:
        emissions.update(report.emissions)
    return ReplayReport(
        landed=emissions[Decision.LAND],
        repeated=emissions[Decision.REPEAT],
        # What waits after a batch waits in the next one still: the last one tells.
        incomplete=reports[-1].pending if reports else 0,
        quarantined=sum(report.quarantined for report in reports),
        purged=emissions[Decision.PURGED],
    )
