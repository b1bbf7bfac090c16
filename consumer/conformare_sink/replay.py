"""The topics are read again, from the beginning or a part of them, into the same lake."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from uuid import uuid4

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from conformare_schemas import TableDefinition, grain_table, open_table, path_identifier
from conformare_sink.decode import decode
from conformare_sink.emission import Decision, RunKey
from conformare_sink.errors import NoLakeError
from conformare_sink.folder import Folder
from conformare_sink.lake import Lake, is_lake, open_for_writing
from conformare_sink.lake_tables import PENDING
from conformare_sink.landing import BatchReport, Landing, LandingPlace
from conformare_sink.options import SinkOptions
from conformare_sink.pending import PendingMessages
from conformare_sink.query import LandingQuery
from conformare_sink.stream import kafka_stream
from conformare_sink.topics import Topics


@dataclass(frozen=True)
class Selection:
    """Which messages of the topics are replayed: all that fit every condition given."""

    since: datetime | None = None
    """Messages that the broker took at this time or later."""
    until: datetime | None = None
    """Messages that the broker took before this time."""
    run_ids: Collection[str] = field(default_factory=tuple)
    """Messages of these runs."""

    def of(self, messages: DataFrame) -> DataFrame:
        """Return the messages that fit."""
        if self.since is not None:
            # The stream begins there already; messages need not be in the order of their time.
            messages = messages.where(F.col("timestamp") >= F.lit(self.since))
        if self.until is not None:
            messages = messages.where(F.col("timestamp") < F.lit(self.until))
        if self.run_ids:
            keys = [bytearray(run_id, "utf-8") for run_id in self.run_ids]
            messages = messages.where(F.col("key").isin(keys))
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


def replay(
    spark: SparkSession,
    options: SinkOptions,
    selection: Selection,
    *,
    dry_run: bool = False,
    on_batch: Callable[[BatchReport], None],
) -> ReplayReport:
    """Read the topics again and land what the lake does not have.

    It has a checkpoint of its own, which ends with it; it is safe to repeat and to break off.

    Args:
        spark: A session from `build_session`.
        options: Where from and where to; the sink's own checkpoint is not touched.
        selection: Which messages.
        dry_run: Whether to write nothing to the lake.
        on_batch: Called with the report of every batch.

    Raises:
        BrokerUnreachableError: No broker answers.
        LakeBusyError: A sink is writing to the lake.
        LakeRefusedError: The lake's folder holds something else.
        NoLakeError: A dry run was asked for where there is no lake.
        StreamFailedError: The query ended with an error.
    """
    topics = Topics(options.bootstrap_servers, options.topic_prefix)
    topics.require_all()
    reports: list[BatchReport] = []

    def report(batch: BatchReport) -> None:
        reports.append(batch)
        on_batch(batch)

    with _destination(spark, options.lake, dry_run=dry_run) as (place, scratch):
        pending = PendingMessages(spark, scratch, str(uuid4()))
        land = Landing(place, pending, options.topic_prefix, report)
        messages = kafka_stream(spark, topics, options.max_messages_per_batch, selection.since)
        decoded = decode(selection.of(messages), options.topic_prefix)
        query = LandingQuery(decoded, land, f"{scratch}/checkpoint", None)
        try:
            query.wait()
        finally:
            query.stop()
    return _sum(reports)


@contextmanager
def _destination(
    spark: SparkSession, root: str, *, dry_run: bool
) -> Iterator[tuple[LandingPlace, str]]:
    """Where the replay lands, and a folder of its own that is deleted at the end."""
    if dry_run and not is_lake(spark, root):
        raise NoLakeError(f"there is no conformare lake at {root}")
    scratch = f"{root.rstrip('/')}/_replay-{uuid4()}"
    try:
        if dry_run:
            _open_scratch(spark, scratch, grain_table("runs"), PENDING)
            yield Rehearsal(Lake(spark, root), Lake(spark, scratch)), scratch
        else:
            with open_for_writing(spark, root, "a replay") as lake:
                _open_scratch(spark, scratch, PENDING)
                yield lake, scratch
    finally:
        Folder(spark, scratch).delete()


def _open_scratch(spark: SparkSession, scratch: str, *tables: TableDefinition) -> None:
    for table in tables:
        open_table(spark, table, path_identifier(scratch, table.name))


class Rehearsal:
    """A lake to which nothing is written: what would land is remembered beside it.

    Args:
        lake: The real one, read only.
        rehearsed: Holds the runs that would have landed.
    """

    def __init__(self, lake: Lake, rehearsed: Lake) -> None:
        self._lake = lake
        self._rehearsed = rehearsed

    def known_runs(self, runs: Collection[RunKey]) -> set[RunKey]:
        """Return which of some runs are in the lake or would be by now."""
        return self._lake.known_runs(runs) | self._rehearsed.known_runs(runs)

    def landing(self, runs: Collection[RunKey]) -> AbstractContextManager[None]:  # noqa: ARG002
        """Note nothing: there is nothing to clean up after a rehearsal."""
        return nullcontext()

    def append(self, table: str, rows: DataFrame) -> None:
        """Remember the runs; other rows do not matter."""
        if table == "runs":
            self._rehearsed.append(table, rows)

    def quarantine(self, bad: DataFrame) -> None:
        """Keep nothing."""


def _sum(reports: Sequence[BatchReport]) -> ReplayReport:
    emissions: Counter[Decision] = Counter()
    for report in reports:
        emissions.update(report.emissions)
    return ReplayReport(
        landed=emissions[Decision.LAND],
        repeated=emissions[Decision.REPEAT],
        # What waits after a batch is counted again in the next one: the last one tells.
        incomplete=reports[-1].emissions[Decision.WAIT] if reports else 0,
        quarantined=sum(report.quarantined for report in reports),
    )
