"""Large batches, dealt out to Spark's executors: messages by their key, one answer from each task."""

from __future__ import annotations

import logging
import math
from collections.abc import Collection, Sequence
from functools import partial, reduce
from typing import NamedTuple, Protocol

from py4j.protocol import Py4JError
from pyspark.errors import PySparkException
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from conformare_schemas import SOURCE_RISKS, topic_name
from conformare_sink.errors import StorageError
from conformare_sink.executors.found import Found
from conformare_sink.executors.probe import lack_of
from conformare_sink.executors.reply import REPLY, read_replies
from conformare_sink.executors.room import has_room
from conformare_sink.executors.task import Known, Task, digests_of_runs
from conformare_sink.lake.digests import DigestSet, run_digest
from conformare_sink.lake.halves import DigestArray, array_of, array_of_column
from conformare_sink.lake.kept.pending import envelopes_of
from conformare_sink.lake.store.portable import portable
from conformare_sink.lake.store.storage import Storage
from conformare_sink.landing.place import FilesPlace
from conformare_sink.messages.emission import RunKey
from conformare_sink.messages.envelope import Envelope
from conformare_sink.messages.framing import SchemaRegistry
from conformare_sink.options import Engine, SinkOptions
from conformare_sink.spark.collect import HELPED_BY_PARTS, MOST_MESSAGES_AT_ONCE, bucket_of
from conformare_sink.spark.dealing import BUCKETS, Ranges, count
from conformare_sink.spark.faults import fault_of
from conformare_sink.spark.session import is_local

logger = logging.getLogger("conformare_sink")

MESSAGES_OF_A_PART = 32_000
"""About 20 MB of messages as jobs send them, of which a task takes some 300 MB. A task costs an eighth of
a second by itself, however little it has to do."""
FEWEST_MESSAGES = 20_000
"""With fewer, the driver alone is done sooner."""
FEW_CORES = 2
"""With so few, the driver alone is as fast, as long as it can take a batch at once."""
FINER = 16
"""Of a part that is too heavy, so many are made."""


class Source(Protocol):
    """Where the messages of a batch can be read again."""

    def read(self, ranges: Ranges) -> DataFrame:
        """Return messages, with values up to `LARGEST_MESSAGE`."""

    def forget(self) -> None:
        """Let go of what was read before and is still held."""


class Place(FilesPlace, Protocol):
    """Where files go, and what is known of runs there, by their digests."""

    @property
    def arrivals(self) -> Storage:
        """Where rows come as files, in one folder a table."""

    def takes_files(self) -> bool:
        """Return whether rows may come as files, which others have written."""

    def has_purged(self) -> bool:
        """Return whether any run was ever deleted on purpose."""

    def settled_digests(self, digests: DigestArray) -> tuple[set[bytes], set[bytes]]:
        """Return which of some digests are of runs that are there, and which of purged ones."""


class Dealt(NamedTuple):
    """What became of a batch."""

    found: Found
    waiting: Sequence[Envelope]
    """Messages that have not landed, without values."""
    left: DataFrame | None
    """Messages that no task could hold, and declarations; the driver takes them in portions."""


class Executors:
    """Spark's executors, as they process the batches of one stream.

    Args:
        spark: The session, whose executors they are.
        source: Where messages can be read again.
        place: Where files go, and what is known of runs.
        options: Which batches they process, and where from.
        pipelines: Only runs of these are looked at; none for those of all.
        tells_identities: Whether somebody wants to know which emissions were decided.
        registry: Tells what schema ids mean; None where there is no registry.
    """

    def __init__(
        self,
        spark: SparkSession,
        source: Source,
        place: Place,
        options: SinkOptions,
        pipelines: Collection[str] = (),
        *,
        tells_identities: bool = False,
        registry: SchemaRegistry | None = None,
    ) -> None:
        self._registry = registry
        self._tells_identities = tells_identities
        self._spark = spark
        self._source = source
        self.place = place
        self._topic_prefix = options.topic_prefix
        self._cores = spark.sparkContext.defaultParallelism
        self._is_automatic = options.engine is Engine.AUTO
        self._fewest: int | None = None
        if self._is_automatic:
            few = self._cores <= FEW_CORES
            self._fewest = MOST_MESSAGES_AT_ONCE + 1 if few else FEWEST_MESSAGES
        elif options.engine is Engine.EXECUTORS:
            self._fewest = 1
        self._pipelines = frozenset(pipelines)
        self._are_probed = False

    def process(self, ranges: Ranges, waiting: Collection[RunKey]) -> Dealt | None:
        """Let the executors process a batch; what they write is not committed.

        Args:
            ranges: Where its messages are in Kafka.
            waiting: Runs of which something waits.

        Returns:
            None where the driver has to process it.

        Raises:
            StorageError: The lake's store refuses an executor.
        """
        topic = topic_name(SOURCE_RISKS, self._topic_prefix)
        # There are few declarations, and the driver has them.
        declared = {place: those for place, those in ranges.items() if place[0] == topic}
        of_runs = {place: those for place, those in ranges.items() if place not in declared}
        if self._fewest is None or count(of_runs) < self._fewest or not self.place.takes_files():
            return None
        # Where the driver is in the same container, it would be ended with the tasks.
        if (
            self._is_automatic
            and is_local(str(self._spark.sparkContext.master))
            and not has_room(self._cores)
        ):
            return None
        if not self._are_probed and (lack := lack_of(self._spark)):
            self._give_up(lack)
            return None
        self._are_probed = True
        try:
            dealt = self._process(of_runs, declared, waiting)
            while self._are_told(dealt.found.unresolved):
                dealt = self._process(of_runs, declared, waiting)
        except (PySparkException, Py4JError) as exc:
            if (fault := fault_of(exc)) not in HELPED_BY_PARTS:
                raise
            logger.warning("%d messages are left to the driver: %s", count(ranges), fault.value)
            self._source.forget()
            return None
        if lost := self._unseen(dealt.found):
            self._give_up(
                f"what an executor has written, {lost}, is not on this machine: the lake is a "
                "folder that the machines do not share"
            )
            return None
        return dealt

    def _are_told(self, ids: Collection[int]) -> bool:
        """Return whether the registry has told of ids since the executors were told what it knows."""
        return self._registry is not None and bool(ids) and self._registry.want(ids)

    def _give_up(self, why: str) -> None:
        logger.warning("the driver continues alone: %s", why)
        self._fewest = None

    def _unseen(self, found: Found) -> str | None:
        """Return a file that is not where the driver looks for it."""
        root = self.place.arrivals.local
        if root is None:
            return None  # what a store has taken, everybody sees
        files = (root / table / one.path for table, those in found.files.items() for one in those)
        return next((str(file) for file in files if not file.is_file()), None)

    def _process(self, ranges: Ranges, declared: Ranges, waiting: Collection[RunKey]) -> Dealt:
        left = [self._source.read(declared)] if count(declared) else []
        task = self._task(ranges, waiting)
        messages = self._source.read(ranges)
        n_parts = min(BUCKETS, max(self._cores, math.ceil(count(ranges) / MESSAGES_OF_A_PART)))
        part = F.pmod(bucket_of(), F.lit(n_parts))
        found = self._run(messages.withColumn("part", part), n_parts, task)
        if not found.heavy:
            return _dealt(found, left)
        index, n_finer = _finer(part, n_parts, found.heavy)
        rows = self._source.read(ranges).where(part.isin(found.heavy)).withColumn("part", index)
        finer = self._run(rows, n_finer, task)
        found.heavy = []
        found.add(finer)
        if finer.heavy:
            left.append(rows.where(F.col("part").isin(finer.heavy)).drop("part"))
        return _dealt(found, left)

    def _run(self, messages: DataFrame, n_parts: int, task: Task) -> Found:
        dealt = messages.repartitionById(n_parts, "part")
        found = read_replies(dealt.mapInArrow(task, REPLY).toArrow())
        if found.fault is not None:
            raise StorageError(f"on an executor: {found.fault}")
        return found

    def _task(self, ranges: Ranges, waiting: Collection[RunKey]) -> Task:
        topic = topic_name("runs", self._topic_prefix)
        of_runs = {place: those for place, those in ranges.items() if place[0] == topic}
        digests = array_of(())
        # The same for both jobs: a run is looked up, or it does not land.
        ids = None if self._registry is None else dict(self._registry.known())
        if of_runs:
            read = partial(
                digests_of_runs,
                topic_prefix=self._topic_prefix,
                for_any_pipeline=self.place.has_purged(),
                ids=ids,
            )
            found = self._source.read(of_runs).mapInArrow(read, "digest binary").toArrow()
            digests = array_of_column(found.column("digest"))
        landed, purged = self.place.settled_digests(digests)
        return Task(
            storage=portable(self.place.arrivals),
            topic_prefix=self._topic_prefix,
            pipelines=self._pipelines,
            tells_identities=self._tells_identities,
            ids=ids,
            known=Known(DigestSet(landed), DigestSet(purged), frozenset(map(run_digest, waiting))),
        )


def _dealt(found: Found, left: Sequence[DataFrame]) -> Dealt:
    waiting = [one for rows in found.waiting for one in envelopes_of(rows)]
    found.waiting = []
    return Dealt(found, waiting, reduce(DataFrame.unionByName, left) if left else None)


def _finer(part: Column, n_parts: int, heavy: list[int]) -> tuple[Column, int]:
    """Return which part each message of some parts is in, where these are dealt out again."""
    places = F.array_position(F.array(*map(F.lit, heavy)), part) - 1
    fine = F.pmod(F.floor(bucket_of() / n_parts), F.lit(FINER))
    return (places * FINER + fine).cast("int"), len(heavy) * FINER
