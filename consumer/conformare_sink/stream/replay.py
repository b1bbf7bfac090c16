"""The topics are read again, from the beginning or a part of them, into the same lake."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from conformare_sink.errors import TopicsMissingError
from conformare_sink.kafka.offsets import PartitionOffsets
from conformare_sink.kafka.source import KafkaSource
from conformare_sink.kafka.topics import Topics
from conformare_sink.lake.digests import DigestSet, run_digest
from conformare_sink.lake.tables.places import lake_tables
from conformare_sink.landing.batch import BatchLanding
from conformare_sink.landing.landing import Landing
from conformare_sink.landing.pending import PendingMessages
from conformare_sink.landing.report import BatchReport
from conformare_sink.messages.emission import Decision, EmissionKey, RunKey
from conformare_sink.options import SinkOptions
from conformare_sink.spark.collect import Collector
from conformare_sink.stream.query import LandingQuery
from conformare_sink.stream.rehearsal import destination
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
    """Messages that cannot be used and were not in quarantine."""
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

    It is safe to repeat and to break off.

    Args:
        spark: A session from `build_session`.
        options: Where from and where to.
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
    topics = options.topics()
    topics.require_all()
    tally = Tally()
    quarantined = 0

    def report(batch: BatchReport) -> None:
        nonlocal quarantined
        quarantined += batch.quarantined
        on_batch(batch)

    starts = selection.starts(topics)
    to_read = sum(end - starts[place] for place, end in topics.ends().items())
    with destination(lake_tables(spark, options), dry_run=dry_run) as place:
        # What the selection holds a part of only waits for nothing beyond the replay's end.
        landing = Landing(place, PendingMessages(), options.topic_prefix, selection.pipelines)
        source = KafkaSource(spark, topics, selection.of)
        messages = source.stream(options.max_messages_per_batch, starts)
        land = BatchLanding(landing, Collector(source), report, on_decided=tally.add)
        query = LandingQuery(messages, starts, land, None)
        try:
            ended = False
            while not ended:
                ended = query.wait(WAKE_SECONDS)
                _, offsets = query.progress()
                read = sum(offset - starts.get(place, 0) for place, offset in offsets.items())
                on_progress(read, to_read)
        finally:
            query.stop()
        return ReplayReport(
            landed=tally.counts[Decision.LAND],
            repeated=tally.counts[Decision.REPEAT],
            incomplete=landing.pending.emissions,
            quarantined=quarantined,
            purged=tally.counts[Decision.PURGED],
        )


class Tally:
    """Counts every emission once, however many batches its messages come in.

    Attributes:
        counts: Emissions by what became of them; those that wait have not become anything yet.
    """

    def __init__(self) -> None:
        self.counts: Counter[Decision] = Counter()
        self._counted = DigestSet()

    def add(self, decisions: Mapping[EmissionKey, Decision]) -> None:
        """Count what a batch has decided."""
        decided = [key for key, decision in decisions.items() if decision is not Decision.WAIT]
        digests = [_emission_digest(key) for key in decided]
        there = self._counted.contain(digests)
        new = [n for n, is_there in enumerate(there) if not is_there]
        self.counts.update(decisions[decided[n]] for n in new)
        self._counted.add([digests[n] for n in new])


def _emission_digest(key: EmissionKey) -> bytes:
    # The lengths in front keep the three texts apart.
    return run_digest(RunKey(key.emission_id, f"{len(key.run_id)}:{key.run_id}{key.pipeline}"))
