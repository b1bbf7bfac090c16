"""The folder in which a sink remembers its lake."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.lakes.memory_source import Broker, Notes, begin, land

from conformare_sink.errors import CheckpointRefusedError, ContinuityError
from conformare_sink.stream.resume.marker import MARKER


def test_a_lake_that_took_the_place_of_another_is_told(
    notes: Notes, broker: Broker, tmp_path: Path
) -> None:
    """By a sink that remembers the one before; what expired since the beginning is told with it."""
    checkpoint = tmp_path / "checkpoint"
    land(notes, begin(notes, broker, checkpoint=checkpoint), broker.end)
    broker.first["t.runs", 0] = 2
    notes = Notes()
    notes.lake_id = "lake-2"
    with pytest.raises(ContinuityError) as told:
        begin(notes, broker, checkpoint=checkpoint)
    assert told.value.found == ("lake replaced", "messages expired")
    assert told.value.lost == (("t.runs", 0, 0, 2),)
    course = begin(notes, broker, checkpoint=checkpoint, accept_loss=told.value.code)
    assert course.starts == broker.first
    assert begin(notes, broker, checkpoint=checkpoint).starts == broker.first
    assert notes.noted is not None

    notes.lake_id, notes.address = "lake-3", "file:/elsewhere"
    with pytest.raises(CheckpointRefusedError, match=f"--checkpoint {checkpoint}-lake-3"):
        begin(notes, broker, checkpoint=checkpoint)


@pytest.mark.parametrize("content", [b"", b"[]", b'{"lake_id": "x"}', b"\xff"])
def test_what_a_sink_remembers_may_be_damaged(
    notes: Notes, broker: Broker, tmp_path: Path, content: bytes
) -> None:
    """Its writer ended just then: the lake knows all that matters."""
    (tmp_path / MARKER).write_bytes(content)
    assert begin(notes, broker, checkpoint=tmp_path).starts == broker.first


@pytest.mark.parametrize("where", ["s3://bucket/checkpoint", "file:/checkpoint"])
def test_a_checkpoint_is_a_folder_of_this_machine(notes: Notes, broker: Broker, where: str) -> None:
    """A URL would become a folder of a strange name."""
    with pytest.raises(CheckpointRefusedError, match="is a URL: give a folder of this machine"):
        begin(notes, broker, checkpoint=Path(where))


def test_somebody_elses_folder_is_no_checkpoint(
    notes: Notes, broker: Broker, tmp_path: Path
) -> None:
    """It is left alone."""
    (tmp_path / "theirs").touch()
    with pytest.raises(CheckpointRefusedError, match="is not empty and is not a checkpoint"):
        begin(notes, broker, checkpoint=tmp_path)
