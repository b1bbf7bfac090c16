"""The stream's checkpoint: its identity, and the lake that it belongs to."""

from __future__ import annotations

import json
from dataclasses import dataclass
from uuid import uuid4

from pyspark.sql import SparkSession

from conformare_sink.errors import CheckpointRefusedError
from conformare_sink.folder import Folder

MARKER = "conformare.json"
SCRATCH = "_replay-"
"""Begins the name of a replay's checkpoint in the lake's folder, which ends with the replay."""


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint that belongs to one lake.

    Args:
        location: Folder of the checkpoint.
        checkpoint_id: Made once, when the checkpoint was.
    """

    location: str
    checkpoint_id: str


def open_checkpoint(spark: SparkSession, location: str, lake_id: str) -> Checkpoint:
    """Open a checkpoint, or begin one in an empty or a new folder.

    Args:
        spark: The sink's session.
        location: Folder of the checkpoint: a local path or a URI.
        lake_id: Identity of the lake that the stream writes to.

    Raises:
        CheckpointRefusedError: The folder holds something else, or belongs to another lake.
    """
    folder = Folder(spark, location)
    if folder.has(MARKER):
        found = json.loads(folder.read_text(MARKER))
        if found["lake_id"] != lake_id:
            raise CheckpointRefusedError(
                f"{location} is the checkpoint of another lake (id {found['lake_id']}); "
                "choose another --checkpoint"
            )
        return Checkpoint(location, found["checkpoint_id"])
    if folder.names():
        raise CheckpointRefusedError(
            f"{location} is not empty and is not a checkpoint of conformare; "
            "choose an empty or a new folder"
        )
    checkpoint = Checkpoint(location, str(uuid4()))
    content = {"checkpoint_id": checkpoint.checkpoint_id, "lake_id": lake_id}
    folder.write_text(MARKER, json.dumps(content))
    return checkpoint
