"""Where the sink resumes: where its lake has read to, or not before somebody has agreed to a loss."""

from __future__ import annotations

import logging
import shlex
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from conformare_schemas import DEFAULT_TOPIC_PREFIX
from conformare_sink.errors import CheckpointRefusedError, ContinuityError
from conformare_sink.kafka.offsets import PartitionOffsets
from conformare_sink.kafka.topics import TopicLogs, Topics
from conformare_sink.options import SinkOptions
from conformare_sink.stream.resume.continuity import (
    Finding,
    Happened,
    Reading,
    code,
    compare,
    starts,
    tell,
)
from conformare_sink.stream.resume.marker import Marker, read_marker, write_marker
from conformare_sink.stream.resume.source import Notes, Source, read_source

logger = logging.getLogger("conformare_sink")


class ResumedLake(Notes, Protocol):
    """The lake of a sink, as far as resuming has to know it."""

    @property
    def lake_id(self) -> str:
        """Its identity: another one at the same place has another."""

    @property
    def address(self) -> str:
        """Where it is."""

    def youngest(self) -> datetime | None:
        """Return when its youngest run was recorded."""


@dataclass(frozen=True)
class Situation:
    """What the sink finds when it is to begin.

    Attributes:
        reading: How far the lake has read.
        logs: What the cluster holds.
        findings: What stands against going on.
    """

    reading: Reading
    logs: TopicLogs
    findings: tuple[Finding, ...]


class Course:
    """How far the stream is, as its lake notes it.

    Args:
        lake: The lake.
        source: Where the lake reads, as it is noted there.
        offsets: Where each partition is begun.
    """

    def __init__(self, lake: Notes, source: Source, offsets: PartitionOffsets) -> None:
        self.starts = offsets
        self._lake = lake
        self._source = source
        self._reached = dict(offsets)

    def new_to_note(self, ends: PartitionOffsets) -> dict[str, int]:
        """Return what a batch adds to what is noted: the name of a log → how far it was read.

        Args:
            ends: Where the batch ends.
        """
        new = {
            place: end
            for place, end in ends.items()
            if place[0] in self._source.topics and self._reached.get(place) != end
        }
        if more := self._source.with_partitions(new):
            # Spark reads partitions that have come meanwhile from their beginning.
            self._source = more
            self._lake.note_source(more.model_dump())
        return {self._source.log_name(place): end for place, end in new.items()}

    def noted(self, ends: PartitionOffsets) -> None:
        """Take note that a batch has landed."""
        self._reached |= ends


class Resumption:
    """Finds out where the sink resumes.

    Args:
        options: Where from and where to, and which loss is accepted.
        lake: The lake that is at its place now.
        topics: The topics.
    """

    def __init__(self, options: SinkOptions, lake: ResumedLake, topics: Topics) -> None:
        self._options = options
        self._lake = lake
        self._topics = topics

    def begin(self) -> Course:
        """Return where the stream begins, with all topics there that runs need.

        Raises:
            CheckpointRefusedError: The checkpoint's folder holds something else, or is another lake's.
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
            logger.warning("accepted: %s", tell(found.findings, self._lake.youngest()))
        created = self._topics.create_those_of_runs()
        if created:
            logger.info("created the topics %s", ", ".join(created))
        logs = self._topics.logs() if created else found.logs
        noted = found.reading.source
        source = noted.followed_by(Source.of(logs))
        offsets = starts(found.reading, logs)
        self._tell_of_reading_again(found.reading, logs, offsets)
        self._tell_of_new_partitions(noted, logs)
        # Offsets first: once a source is noted, nobody asks again what was lost of the one before.
        self._note_offsets(source, offsets)
        if source != read_source(self._lake):
            self._lake.note_source(source.model_dump())
        if self._options.checkpoint is not None:
            marker = Marker(self._lake.lake_id, self._place())
            write_marker(self._options.checkpoint, marker)
        return Course(self._lake, source, offsets)

    def require(self) -> None:
        """Make sure that nothing stands against going on; raises what `begin` raises."""
        found = self._look()
        if found.findings:
            raise self._error(found)

    def _look(self) -> Situation:
        logs = self._topics.logs(read_source(self._lake).topics)
        reading = Reading.of(self._lake, logs)
        replaced = self._replaced_lake()
        if replaced is None:
            return Situation(reading, logs, (*compare(reading, logs, self._topics.names),))
        if not reading.source.topics:
            # The new lake has read nothing of what the one before had.
            reading = Reading(reading.read, Source.of(logs))
        found = compare(reading, logs, self._topics.names)
        return Situation(reading, logs, (replaced, *found))

    def _note_offsets(self, source: Source, offsets: PartitionOffsets) -> None:
        """Note where the stream begins, if that is not what is noted already."""
        names = {source.log_name(place): offset for place, offset in offsets.items()}
        noted = self._lake.read_to(list(names))
        if new := {name: n for name, n in names.items() if noted.get(name, 0) != n}:
            self._lake.note_read(new)

    def _replaced_lake(self) -> Finding | None:
        """Return that the lake of the checkpoint is gone, if it is."""
        checkpoint = self._options.checkpoint
        marker = None if checkpoint is None else read_marker(checkpoint)
        if marker is None or marker.lake_id == self._lake.lake_id:
            return None
        if marker.lake != self._place():
            command = self._command(checkpoint=f"{checkpoint}-{self._lake.lake_id[:8]}")
            raise CheckpointRefusedError(
                f"{checkpoint} is the checkpoint of another lake (id {marker.lake_id}, "
                f"{marker.lake}), which may need it. To use a separate one: {command}"
            )
        return Finding(
            Happened.LAKE_REPLACED,
            f"the lake was deleted and made again (id {marker.lake_id}, now {self._lake.lake_id})",
        )

    def _place(self) -> str:
        """Where the lake is: another one at the same place has taken its place."""
        catalog = self._options.catalog
        if catalog is None:
            return self._lake.address
        tables = f"{catalog.catalog or ''}.{catalog.schema_name}.{catalog.table_prefix}*"
        return f"{tables} beside {self._lake.address}"

    def _code(self, found: Situation) -> str:
        return code(self._lake.lake_id, found.findings)

    def _error(self, found: Situation) -> ContinuityError:
        accepted = self._code(found)
        told = tell(found.findings, self._lake.youngest())
        losses = [loss for finding in found.findings for loss in finding.losses]
        return ContinuityError(
            f"{told}. To continue with what the topics still hold (no run lands twice): "
            f"{self._command(accepted=accepted)}",
            tuple(finding.kind.value for finding in found.findings),
            tuple((loss.topic, loss.partition, loss.first, loss.end) for loss in losses),
            accepted,
        )

    def _command(self, *, checkpoint: str | None = None, accepted: str | None = None) -> str:
        """The sink's own command, with another checkpoint or with a code that is accepted."""
        options = self._options
        given = {
            "--bootstrap-servers": options.bootstrap_servers,
            "--kafka-settings": options.access.file,
            "--lake": options.lake,
            "--storage-options": options.storage.file,
            **(options.catalog.command_options if options.catalog else {}),
            "--checkpoint": checkpoint or options.checkpoint,
            "--topic-prefix": options.topic_prefix,
            "--accept-loss": accepted,
        }
        defaults = {"--topic-prefix": DEFAULT_TOPIC_PREFIX}
        words = ["conformare", "sink"]
        for option, value in given.items():
            if value and value != defaults.get(option):
                words += [option, str(value)]
        return shlex.join(words)

    def _tell_of_reading_again(
        self, reading: Reading, logs: TopicLogs, offsets: PartitionOffsets
    ) -> None:
        read = reading.read
        again = sum(
            max(min(read.get(place, 0), logs.end[place]) - begin, 0)
            for place, begin in offsets.items()
        )
        if again:
            logger.info("%d message(s) are read again, and no run lands twice", again)

    def _tell_of_new_partitions(self, noted: Source, logs: TopicLogs) -> None:
        now = Source.of(logs)
        for name, topic in sorted(now.topics.items()):
            if noted.has_same(name, now) and topic.partitions > noted.topics[name].partitions:
                new = topic.partitions - noted.topics[name].partitions
                logger.info("%s has %d partition(s) more, read from their beginning", name, new)
