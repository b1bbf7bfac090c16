"""Where the messages of a batch are in Kafka, as the query's checkpoint says it."""

from __future__ import annotations

from pathlib import Path

from conformare_sink.kafka.offsets import PartitionOffsets, from_spark
from conformare_sink.spark.dealing import Ranges


def offsets_of_batch(checkpoint: str, batch_id: int) -> Ranges:
    """Return the ranges of offsets of a batch that has begun.

    Args:
        checkpoint: Folder of the query's checkpoint, on this machine.
        batch_id: The query's number of the batch.
    """
    folder = Path(checkpoint.removeprefix("file://"))
    before = folder / (f"offsets/{batch_id - 1}" if batch_id else "sources/0/0")
    starts, ends = _offsets(before), _offsets(folder / f"offsets/{batch_id}")
    return {place: (starts.get(place, 0), end) for place, end in ends.items()}


def _offsets(note: Path) -> PartitionOffsets:
    return from_spark(note.read_text(encoding="utf-8").splitlines()[-1])
