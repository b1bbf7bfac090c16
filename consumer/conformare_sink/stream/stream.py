"""The sink: one streaming query from all grain topics into the lake."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from datetime import timedelta

from pyspark.sql import DataFrame, SparkSession

from conformare_sink.errors import StreamFailedError
from conformare_sink.executors.engine import Executors
from conformare_sink.kafka.lag import LagReport
from conformare_sink.kafka.one_by_one import forget_fetched
from conformare_sink.kafka.rotation import Rotation
from conformare_sink.kafka.source import KafkaSource
from conformare_sink.kafka.topics import Topics, consumer_group
from conformare_sink.lake.lake import Lake, open_for_writing
from conformare_sink.lake.maintenance import Maintenance, Schedule
from conformare_sink.lake.tables.places import lake_tables
from conformare_sink.landing.batch import BatchLanding
from conformare_sink.landing.landing import Landing
from conformare_sink.landing.pending import PendingMessages
from conformare_sink.landing.report import BatchReport
from conformare_sink.messages.process import no_garbage_collection
from conformare_sink.monitoring.health import Health
from conformare_sink.monitoring.metrics import SinkMetrics
from conformare_sink.options import SinkOptions
from conformare_sink.registry.resolver import Resolver, asking
from conformare_sink.spark.collect import Collector
from conformare_sink.spark.dealing import Ranges
from conformare_sink.stream.awaited import AwaitedSchemas
from conformare_sink.stream.outage import Restarts, await_broker
from conformare_sink.stream.query import LandingQuery
from conformare_sink.stream.refusal import Admission
from conformare_sink.stream.resume.marker import kept_in
from conformare_sink.stream.resume.resume import Resumption
from conformare_sink.stream.retry import retry_newly_readable

logger = logging.getLogger("conformare_sink")

WAKE_SECONDS = 0.2


class SinkStream:
    """Lands whole runs in the lake as they come, until told to stop.

    Args:
        spark: A session from `build_session`.
        options: Where from and where to.
        on_batch: Called with the report of every batch.
        metrics: Is told what happens.
        health: Is told how the stream is.
        stopping: What `stop` sets; to be given where something else may set it before.
    """

    def __init__(
        self,
        spark: SparkSession,
        options: SinkOptions,
        on_batch: Callable[[BatchReport], None],
        metrics: SinkMetrics | None = None,
        health: Health | None = None,
        stopping: threading.Event | None = None,
    ) -> None:
        self._spark = spark
        self._options = options
        self._on_batch = on_batch
        self._metrics = metrics or SinkMetrics()
        self._health = health or Health()
        self._stopping = stopping or threading.Event()
        self._resolver: Resolver | None = None
        self._awaited: AwaitedSchemas | None = None

    def run_once(self) -> None:
        """Land everything that the topics hold now, then return.

        Raises:
            BrokerUnreachableError: No broker answers.
            BrokerRefusedError: A broker refuses to tell of the topics.
            TopicCreationError: The cluster refuses to create a topic.
            LakeBusyError: Another process writes to the lake.
            LakeRefusedError: The lake's folder holds something else.
            CheckpointRefusedError: The checkpoint is something else's, or another lake's.
            ContinuityError: Something that was not landed cannot be read any more.
            StreamFailedError: The query ended with an error.
        """
        self._run(None)

    def run(self, interval: str, maintain_every: timedelta | None = None) -> None:
        """Land runs as they come, until `stop` is called; raises what `run_once` raises.

        Args:
            interval: How often a micro-batch begins, such as `2 seconds`.
            maintain_every: How often the lake is maintained meanwhile; None for never.
        """
        self._run(interval, maintain_every)

    def stop(self) -> None:
        """Let the batch that is under way finish, then end; may be called by a signal handler."""
        self._stopping.set()
        self._health.stopping()

    def _run(self, interval: str | None, maintain_every: timedelta | None = None) -> None:
        options = self._options
        topics = options.topics()
        patience = options.patience_seconds(once=interval is None)
        if not self._await_broker(topics, patience):
            return
        self._health.starting()
        tables = lake_tables(self._spark, options)
        checkpoint = options.checkpoint
        if checkpoint is not None:
            tables.require_place()
            checkpoint = kept_in(checkpoint, tables.lake_id() if tables.exist() else None)
        with open_for_writing(tables, "a sink", checkpoint) as lake:
            resumption = Resumption(options, lake, topics)
            rotation = Rotation(topics)
            restarts = Restarts(
                lambda: self._await_broker(topics, patience, rotation),
                patience,
                resumption.require,
                Admission(topics, rotation, self._stopping),
            )

            def report(batch: BatchReport) -> None:
                restarts.landed()
                self._metrics.record(batch)
                self._on_batch(batch)

            def land() -> bool:
                query = self._begin(lake, topics, resumption, report, interval)
                self._health.running()
                group = consumer_group(lake.lake_id)
                try:
                    is_over = self._attend(
                        query, LagReport(topics, group, self._metrics.lag), rotation
                    )
                except StreamFailedError:
                    forget_fetched(self._spark)  # the next one may need the room
                    raise
                if interval is None and self._awaited and not self._stopping.is_set():
                    self._awaited.finish()
                return is_over

            def land_with_settings_of_now() -> None:
                while not land():
                    pass

            with (
                _maintained(lake, maintain_every),
                asking(options.registry, options.topic_prefix) as self._resolver,
            ):
                restarts.keep_up(land_with_settings_of_now)

    def _await_broker(
        self, topics: Topics, patience: float | None, rotation: Rotation | None = None
    ) -> bool:
        self._health.waiting_for_broker()
        return await_broker(topics, patience, self._stopping, rotation)

    def _begin(
        self,
        lake: Lake,
        topics: Topics,
        resumption: Resumption,
        report: Callable[[BatchReport], None],
        interval: str | None,
    ) -> LandingQuery:
        """Begin the query, or go on with it after an outage."""
        options = self._options
        # What an attempt before this one was landing when it failed, lands anew.
        lake.recover()
        course = resumption.begin()
        with no_garbage_collection():
            pending = PendingMessages(lake.waiting())
        resolver = self._resolver
        landing = Landing(lake, pending, options.topic_prefix, registry=resolver)
        if (retried := retry_newly_readable(lake, landing)) is not None:
            logger.info("out of quarantine, for their schema is known now: %s", retried.summary())
        awaited = None if resolver is None else AwaitedSchemas(lake, landing, resolver)
        self._awaited = awaited
        source = KafkaSource(self._spark, topics)
        land = BatchLanding(
            landing,
            Collector(source),
            report,
            options.most_pending_days,
            others=Executors(self._spark, source, lake, options, registry=resolver),
        )

        def land_watched(batch: DataFrame, batch_id: int, ranges: Ranges) -> None:
            ends = {place: end for place, (_, end) in ranges.items()}
            with self._health.batch():
                land(batch, batch_id, ranges, course.new_to_note(ends))
            course.noted(ends)
            # Here too, for a sink with a backlog is never between batches for long.
            if awaited is not None:
                awaited.retry()

        messages = source.stream(options.max_messages_per_batch, course.starts)
        return LandingQuery(messages, course.starts, land_watched, interval)

    def _attend(self, query: LandingQuery, lag: LagReport, rotation: Rotation) -> bool:
        """Tell Kafka's tools and the metrics how far the query is, until its end.

        Returns:
            Whether it is over; else its clients are to be made anew, with settings of now.
        """
        last_batch = -1
        ended = renewed = False
        try:
            while not (ended or renewed or self._stopping.is_set()):
                ended = query.wait(WAKE_SECONDS)
                if self._awaited is not None:
                    query.between_batches(self._awaited.retry)
                renewed = not ended and rotation.look()
                batch_id, offsets = query.progress()
                lag.offer(offsets)
                if batch_id != last_batch:
                    self._metrics.committed()
                    last_batch = batch_id
        finally:
            query.stop()
        lag.finish(query.progress()[1])
        return not renewed or self._stopping.is_set()


def _maintained(lake: Lake, every: timedelta | None) -> AbstractContextManager[object]:
    return nullcontext() if every is None else Schedule(Maintenance(lake), every)
