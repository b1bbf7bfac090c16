"""Where the sink goes on: by the checkpoint it has, by a new one, or not before somebody has agreed."""

from __future__ import annotations

import logging
import shlex
from collections import Counter
from dataclasses import dataclass, replace
from uuid import uuid4

from pyspark.sql import SparkSession

from conformare_schemas import DEFAULT_TOPIC_PREFIX
from conformare_sink.errors import (
    BrokerRefusedError,
    CheckpointDamagedError,
    CheckpointRefusedError,
    ContinuityError,
)
from conformare_sink.kafka.topics import TopicLogs, Topics, consumer_group
from conformare_sink.lake.folder import Folder
from conformare_sink.options import SinkOptions
from conformare_sink.stream.resume.checkpoint import (
    Checkpoint,
    find_checkpoint,
    read_progress,
    save_checkpoint,
    set_aside,
)
from conformare_sink.stream.resume.continuity import Finding, Kind, Reading, code, compare, tell

logger = logging.getLogger("conformare_sink")


@dataclass(frozen=True)
class Situation:
    """What the sink finds when it is to begin.

    Attributes:
        checkpoint: The checkpoint that it has; None for none that can be used.
        reading: How far it has read.
        logs: What the cluster holds.
        findings: What stands against going on.
    """

    checkpoint: Checkpoint | None
    reading: Reading
    logs: TopicLogs
    findings: tuple[Finding, ...]


class Resumption:
    """Finds out whether the sink goes on where it ended.

    Args:
        spark: The sink's session.
        options: Where from and where to, and which loss is accepted.
        lake_id: Identity of the lake that is at its place now.
        topics: The topics.
    """

    def __init__(
        self, spark: SparkSession, options: SinkOptions, lake_id: str, topics: Topics
    ) -> None:
        self._spark = spark
        self._options = options
        self._location = options.checkpoint_location
        self._topics = topics
        self._lake_id = lake_id
        self._lake_place = _place(spark, options)

    def open_checkpoint(self) -> None:
        """Open the checkpoint, or begin one, with all topics there.

        Raises:
            CheckpointRefusedError: The folder holds something else, or belongs to another lake or
                to other topics.
            ContinuityError: Something that was not landed cannot be read any more, and
                `accept_loss` is not the code for it.
            BrokerUnreachableError: No broker answers.
            BrokerRefusedError: A broker refuses to tell.
            TopicCreationError: The cluster refuses to create a topic.
        """
        found = self._look()
        if found.findings:
            if self._code(found) != self._options.accept_loss:
                raise self._error(found)
            logger.warning("accepted: %s", tell(found.findings, found.reading.last_batch))
            if Folder(self._spark, self._location).names():
                logger.warning("old checkpoint: kept in %s", set_aside(self._spark, self._location))
        created = self._topics.create()
        if created:
            logger.info("created the topics %s", ", ".join(created))
        logs = self._topics.logs() if created else found.logs
        if found.checkpoint is None or found.findings:
            self._tell_of_reading_again(found.reading, logs)
            checkpoint = Checkpoint(str(uuid4()), self._lake_id)
        else:
            self._tell_of_new_partitions(found.reading, logs)
            checkpoint = found.checkpoint
        current = replace(
            checkpoint,
            lake=self._lake_place,
            cluster_id=logs.cluster_id,
            topic_ids=dict(logs.topic_ids),
        )
        if current != found.checkpoint:
            save_checkpoint(self._spark, self._location, current)

    def require(self) -> None:
        """Make sure that nothing stands against going on; raises what `open_checkpoint` raises."""
        found = self._look()
        if found.findings:
            raise self._error(found)

    def _look(self) -> Situation:
        logs = self._topics.logs()
        try:
            checkpoint = find_checkpoint(self._spark, self._location)
            if checkpoint is None:
                reading = self._reading_of_group()
                return Situation(None, reading, logs, tuple(compare(reading, logs)))
            self._require_own(checkpoint)
            progress = read_progress(self._spark, self._location)
        except CheckpointDamagedError as exc:
            reading = self._reading_of_group()
            damaged = Finding(Kind.CHECKPOINT_DAMAGED, str(exc))
            return Situation(None, reading, logs, (damaged, *compare(reading, logs)))
        reading = Reading(cluster_id=checkpoint.cluster_id, topic_ids=checkpoint.topic_ids)
        if progress is not None:
            reading = replace(
                reading,
                read=progress.read,
                begun=progress.begun,
                last_batch=progress.last_batch,
            )
        if checkpoint.lake_id == self._lake_id:
            return Situation(checkpoint, reading, logs, tuple(compare(reading, logs)))
        # This lake has nothing of what was read.
        reading = replace(
            reading, read=dict.fromkeys(reading.read or {}, 0), begun=reading.read or {}
        )
        replaced = Finding(
            Kind.LAKE_REPLACED,
            f"the lake was deleted and made again (id {checkpoint.lake_id}, now {self._lake_id})",
        )
        return Situation(checkpoint, reading, logs, (replaced, *compare(reading, logs)))

    def _require_own(self, checkpoint: Checkpoint) -> None:
        """Refuse a checkpoint that another sink may still need."""
        other = f"{self._location.rstrip('/')}-{self._lake_id[:8]}"
        command = self._command(checkpoint=other)
        if checkpoint.lake_id != self._lake_id and checkpoint.lake != self._lake_place:
            raise CheckpointRefusedError(
                f"{self._location} is the checkpoint of another lake (id {checkpoint.lake_id}, "
                f"{checkpoint.lake}), which may need it. To go on with one of its own: {command}"
            )
        others = sorted(set(checkpoint.topic_ids) - set(self._topics.names))
        if others:
            raise CheckpointRefusedError(
                f"{self._location} is the checkpoint of other topics ({', '.join(others)}): "
                f"correct --topic-prefix. To read these topics beside them: {command}"
            )

    def _reading_of_group(self) -> Reading:
        """What is known without a checkpoint: what the sink has told Kafka."""
        try:
            committed = self._topics.committed(consumer_group(self._lake_id))
        except BrokerRefusedError as exc:
            logger.warning("how far this lake's sink had read is not known: %s", exc)
            return Reading()
        return Reading(read=committed or None)

    def _code(self, found: Situation) -> str:
        identity = self._lake_id if found.checkpoint is None else found.checkpoint.checkpoint_id
        return code(identity, found.findings)

    def _error(self, found: Situation) -> ContinuityError:
        accepted = self._code(found)
        told = tell(found.findings, found.reading.last_batch)
        losses = [loss for finding in found.findings for loss in finding.losses]
        return ContinuityError(
            f"{told}. To go on with a new checkpoint, which reads all that the topics hold (no run "
            f"lands twice): {self._command(accepted=accepted)}",
            tuple(finding.kind.value for finding in found.findings),
            tuple((loss.topic, loss.partition, loss.first, loss.end) for loss in losses),
            accepted,
        )

    def _command(self, *, checkpoint: str | None = None, accepted: str | None = None) -> str:
        """The sink's own command, with another checkpoint or with a code that is accepted."""
        options = self._options
        given = {
            "--bootstrap-servers": options.bootstrap_servers,
            "--kafka-settings": options.access.file and str(options.access.file),
            "--lake": options.lake,
            **(options.catalog.command_options if options.catalog else {}),
            "--checkpoint": checkpoint or options.checkpoint,
            "--topic-prefix": options.topic_prefix,
            "--accept-loss": accepted,
        }
        defaults = {"--topic-prefix": DEFAULT_TOPIC_PREFIX}
        words = ["conformare", "sink"]
        for option, value in given.items():
            if value and value != defaults.get(option):
                words += [option, value]
        return shlex.join(words)

    def _tell_of_reading_again(self, reading: Reading, logs: TopicLogs) -> None:
        read = reading.read or {}
        again = sum(max(min(read.get(p, 0), logs.end[p]) - logs.first[p], 0) for p in logs.end)
        if again:
            logger.info(
                "a new checkpoint: %d message(s) that this lake's sink has read are read again, "
                "and no run lands twice",
                again,
            )

    def _tell_of_new_partitions(self, reading: Reading, logs: TopicLogs) -> None:
        if reading.read is None:
            return
        known = {topic for topic, _ in reading.read}
        new = Counter(topic for topic, p in logs.end if (topic, p) not in reading.read)
        for topic, partitions in sorted(new.items()):
            if topic in known:
                logger.info(
                    "%s has %d partition(s) more, read from their beginning", topic, partitions
                )


def _place(spark: SparkSession, options: SinkOptions) -> str:
    """Where a lake is: another one at the same place has taken its place."""
    folder = Folder(spark, options.lake).address
    if options.catalog is None:
        return folder
    catalog = options.catalog
    return f"{catalog.catalog or ''}.{catalog.schema_name}.{catalog.table_prefix}* beside {folder}"
