"""The stream's checkpoint: what it belongs to, and how far the stream has come by it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timezone
from typing import Any

from pyspark.sql import SparkSession

from conformare_sink.errors import CheckpointDamagedError, CheckpointRefusedError
from conformare_sink.kafka.cluster import PartitionOffsets
from conformare_sink.lake.folder import Folder

MARKER = "conformare.json"
SCRATCH = "_replay-"
"""Begins the name of a replay's checkpoint in the lake's folder, which ends with the replay."""

# Spark's own files: one per batch that was begun, one per batch that was finished, and where the
# very first batch began.
_BEGUN = "offsets"
_FINISHED = "commits"
_INITIAL = "sources/0/0"
_METADATA = "metadata"


@dataclass(frozen=True)
class Checkpoint:
    """What a checkpoint belongs to: the content of its marker.

    Attributes:
        checkpoint_id: Made once, when the checkpoint was.
        lake_id: The lake that its stream writes to.
        lake: Where that lake is.
        cluster_id: The Kafka cluster that it reads; None for one that was not asked.
        topic_ids: Topic → the identity of the topic that it has read under that name.
    """

    checkpoint_id: str
    lake_id: str
    lake: str | None = None
    cluster_id: str | None = None
    topic_ids: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Progress:
    """How far a stream has come, by Spark's own notes.

    Attributes:
        read: The first offset of every partition that no finished batch has read.
        begun: The same, for the last batch that was begun.
        last_batch: When that batch began; None before the first.
    """

    read: PartitionOffsets
    begun: PartitionOffsets
    last_batch: datetime | None


def find_checkpoint(spark: SparkSession, location: str) -> Checkpoint | None:
    """Return a checkpoint, or None where the folder is empty or new.

    Args:
        spark: The sink's session.
        location: Folder of the checkpoint: a local path or a URI.

    Raises:
        CheckpointRefusedError: The folder holds something else.
        CheckpointDamagedError: Its marker cannot be read.
    """
    folder = Folder(spark, location)
    names = folder.names()
    if MARKER in names:
        try:
            return Checkpoint(**json.loads(folder.read_text(MARKER)))
        except (ValueError, TypeError) as exc:
            if len(names) == 1:
                return None  # its writer ended while writing it, so before Spark wrote anything
            raise CheckpointDamagedError(f"{location}/{MARKER} cannot be read") from exc
    if names:
        raise CheckpointRefusedError(
            f"{location} is not empty and is not a checkpoint of conformare; "
            "choose an empty or a new folder"
        )
    return None


def save_checkpoint(spark: SparkSession, location: str, checkpoint: Checkpoint) -> None:
    """Write a checkpoint's marker, and the folder with it."""
    Folder(spark, location).write_text(MARKER, json.dumps(asdict(checkpoint)))


def set_aside(spark: SparkSession, location: str) -> str:
    """Move a checkpoint out of the way of a new one.

    Returns:
        Where it is kept.

    Raises:
        CheckpointRefusedError: It cannot be moved.
    """
    now = datetime.now(timezone.utc)
    aside = f"{location.rstrip('/')}.{now:%Y%m%dT%H%M%S.%fZ}"
    if not Folder(spark, location).move(aside):
        raise CheckpointRefusedError(f"{location} cannot be moved to {aside}: move it yourself")
    return aside


def read_progress(spark: SparkSession, location: str) -> Progress | None:
    """Return how far a checkpoint's stream has come; None where Spark has noted nothing yet.

    Raises:
        CheckpointDamagedError: Spark's notes cannot be read.
    """
    folder = Folder(spark, location)
    finished = max(_batches(spark, location, _FINISHED), default=None)
    begun = max(_batches(spark, location, _BEGUN), default=None)
    # Spark reads these as well, and has no words for a file that a full disk has left empty.
    for name in (_METADATA, f"{_FINISHED}/{finished}"):
        if folder.has(name):
            _last_line(folder, name)
    if finished is None and begun is None and not folder.has(_INITIAL):
        return None
    read_from = _INITIAL if finished is None else f"{_BEGUN}/{finished}"
    begun_at = read_from if begun is None else f"{_BEGUN}/{begun}"
    return Progress(
        read=_offsets(folder, read_from),
        begun=_offsets(folder, begun_at),
        last_batch=None if begun is None else _time(folder, begun_at),
    )


def _batches(spark: SparkSession, location: str, kind: str) -> list[int]:
    names = Folder(spark, f"{location.rstrip('/')}/{kind}").names()
    return [int(name) for name in names if name.isdigit()]


def _offsets(folder: Folder, name: str) -> PartitionOffsets:
    """Return the offsets that a note of Spark holds in its last line, for our one source."""
    found = _last_line(folder, name)
    try:
        return {
            (topic, int(partition)): int(offset)
            for topic, partitions in found.items()
            for partition, offset in partitions.items()
        }
    except (ValueError, AttributeError) as exc:
        raise CheckpointDamagedError(f"{folder.address}/{name} cannot be read") from exc


def _last_line(folder: Folder, name: str) -> Any:
    """Return what the last line of a note of Spark says."""
    try:
        return json.loads(_lines(folder, name)[-1])
    except ValueError as exc:
        raise CheckpointDamagedError(f"{folder.address}/{name} cannot be read") from exc


def _time(folder: Folder, name: str) -> datetime:
    """Return when a batch began: the second line of Spark's note is about the batch."""
    try:
        milliseconds = json.loads(_lines(folder, name)[1])["batchTimestampMs"]
        return datetime.fromtimestamp(milliseconds / 1000, timezone.utc)
    except (ValueError, LookupError, TypeError) as exc:
        raise CheckpointDamagedError(f"{folder.address}/{name} cannot be read") from exc


def _lines(folder: Folder, name: str) -> list[str]:
    if not folder.has(name):
        raise CheckpointDamagedError(f"{folder.address}/{name} is not there")
    return folder.read_text(name).strip().splitlines() or [""]
