"""The topics are read again, from the beginning or a part of them, into the same lake."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain

from py4j.protocol import Py4JError
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from conformare_sink.errors import StreamFailedError, TopicsMissingError, first_line
from conformare_sink.executors.engine import Executors
from conformare_sink.kafka.offsets import PartitionOffsets
from conformare_sink.kafka.source import KafkaSource
from conformare_sink.kafka.topics import Topics
from conformare_sink.lake.tables.places import lake_tables
from conformare_sink.landing.batch import BatchLanding
from conformare_sink.landing.landing import Landing
from conformare_sink.landing.pending import PendingMessages
from conformare_sink.landing.report import BatchReport
from conformare_sink.messages.emission import Decision
from conformare_sink.options import SinkOptions
from conformare_sink.registry.resolver import ONCE_SECONDS, asking
from conformare_sink.spark.collect import Collector
from conformare_sink.spark.dealing import Ranges
from conformare_sink.stream.query import LandingQuery
from conformare_sink.stream.refusal import refusals_told
from conformare_sink.stream.rehearsal import ReplayedLake, destination
from conformare_sink.stream.replay_note import Course, ReplayNotes
from conformare_sink.stream.scratch import ScratchMessages
from conformare_sink.stream.stream import WAKE_SECONDS
from conformare_sink.stream.tally import Tally

READ_AGAIN = -1
"""Number of the batches that a resumed replay begins with: what waited when it broke off."""


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

    def identity(self) -> tuple[object, ...]:
        """Return what tells this selection from another one, whatever the order of its conditions."""
        moments = (None if at is None else at.timestamp() for at in (self.since, self.until))
        offsets = (sorted((*place, n) for place, n in of.items()) for of in self._offsets())
        names = (sorted(set(chosen)) for chosen in (self.run_ids, self.pipelines))
        return (*moments, *names, *offsets)

    def _offsets(self) -> tuple[PartitionOffsets, PartitionOffsets]:
        return self.from_offsets, self.to_offsets

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
    """What a replay did, or would do; one that resumed counts what was left."""

    landed: int
    """Runs that were not in the lake and are now."""
    repeated: int
    """Emissions whose run was in the lake, or came from another emission."""
    incomplete: int
    """Emissions of which the selection holds a part only."""
    quarantined: int
    """Messages that cannot be used and were not in quarantine."""
    purged: int
    """Emissions of runs that were deleted on purpose."""
    read_before: int = 0
    """Messages that a replay had read which broke off, and that this one resumed."""


@dataclass(frozen=True)
class ReplayProgress:
    """How far a replay is."""

    read: int
    """Messages that were read."""
    of: int
    """Messages that there are to read: all of the topics from where the replay begins."""
    read_before: int
    """Those of the first that were read by a replay which broke off."""
    landed: int
    """Runs that have landed, or would have."""
    known: int
    """Emissions of runs that are in the lake."""


def replay(
    spark: SparkSession,
    options: SinkOptions,
    selection: Selection,
    *,
    dry_run: bool = False,
    on_batch: Callable[[BatchReport], None],
    on_progress: Callable[[ReplayProgress], None] = lambda _: None,
) -> ReplayReport:
    """Read the topics again and land what the lake does not have.

    It is safe to repeat and to break off: the same replay resumes where it was.

    Args:
        spark: A session from `build_session`.
        options: Where from and where to.
        selection: Which messages.
        dry_run: Whether only to tell what would land: the lake, as it is when that begins, is read,
            and nothing is written to it or into its folder. It always reads all.
        on_batch: Called with the report of every batch.
        on_progress: Called again and again.

    Raises:
        BrokerUnreachableError: No broker answers.
        BrokerRefusedError: A broker refuses to tell of the topics.
        TopicsMissingError: A topic or a partition does not exist.
        LakeBusyError: A sink is writing to the lake.
        LakeRefusedError: The lake's folder holds something else.
        NoLakeError: A dry run was asked for where there is no lake.
        StreamFailedError: The query ended with an error.
    """
    topics = options.topics()
    topics.require_runs()
    starts = selection.starts(topics)
    logs = topics.logs()
    tables = lake_tables(spark, options)
    with (
        refusals_told(topics),
        closing(ScratchMessages()) as scratch,
        closing(Tally()) as tally,
        destination(tables, scratch, dry_run=dry_run) as place,
        # What it does not resolve by then goes to quarantine.
        asking(options.registry, options.topic_prefix, ONCE_SECONDS) as registry,
    ):
        # What the selection holds a part of only waits for nothing beyond the replay's end.
        prefix, pipelines = options.topic_prefix, selection.pipelines
        landing = Landing(place, PendingMessages(), prefix, pipelines, registry)
        identity = [options.topic_prefix, *selection.identity()]
        notes = None if dry_run else ReplayNotes(tables, identity, logs)
        course = Course(starts) if notes is None else notes.begin(starts)
        quarantined = 0

        def report(batch: BatchReport) -> None:
            nonlocal quarantined
            quarantined += batch.quarantined
            on_batch(batch)

        def decided(emissions: Mapping[Decision, Collection[bytes]]) -> None:
            tally.add(emissions)
            scratch.forget(chain.from_iterable(emissions.values()))

        source = KafkaSource(spark, topics, selection.of)
        others = None
        if isinstance(place, ReplayedLake):
            others = Executors(
                spark, source, place, options, pipelines, tells_identities=True, registry=registry
            )
        land = BatchLanding(landing, Collector(source), report, on_decided=decided, others=others)

        def land_and_note(batch: DataFrame, batch_id: int, ranges: Ranges) -> None:
            land(batch, batch_id, ranges)
            if notes is not None:
                notes.landed({place: end for place, (_, end) in ranges.items()}, scratch)

        def tell_progress(reached: PartitionOffsets) -> None:
            read = sum(offset - course.starts.get(at, 0) for at, offset in reached.items())
            to_read = sum(end - starts.get(at, 0) for at, end in logs.end.items())
            known, landed = tally.counts[Decision.REPEAT], tally.counts[Decision.LAND]
            before = course.read_before
            on_progress(ReplayProgress(before + read, to_read, before, landed, known))

        tell_progress({})
        _read_again(source, course, land)
        messages = source.stream(options.max_messages_per_batch, course.starts)
        query = LandingQuery(messages, course.starts, land_and_note, None)
        try:
            ended = False
            while not ended:
                ended = query.wait(WAKE_SECONDS)
                tell_progress(query.progress()[1])
        finally:
            query.stop()
        if notes is not None:
            notes.end()
        return ReplayReport(
            landed=tally.counts[Decision.LAND],
            repeated=tally.counts[Decision.REPEAT],
            incomplete=landing.pending.emissions,
            quarantined=quarantined,
            purged=tally.counts[Decision.PURGED],
            read_before=course.read_before,
        )


def _read_again(source: KafkaSource, course: Course, land: BatchLanding) -> None:
    """Land what waited when a replay broke off, or let it wait again."""
    try:
        for ranges in course.again:
            land(source.read(ranges), READ_AGAIN, ranges)
    except (PySparkException, Py4JError) as exc:
        raise StreamFailedError(first_line(exc)) from exc
