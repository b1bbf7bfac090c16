"""What a sink remembers of its lake on its own machine, if it is given a folder for that.

The lake itself knows how far the topics were read. What it cannot know is that it was deleted, or is
not mounted: it looks like a new one then. Beside that, the known runs of the lake are kept there.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from conformare_sink.errors import CheckpointRefusedError
from conformare_sink.lake.known.place import KNOWN

MARKER = "conformare.json"
_OURS = (MARKER, KNOWN)


@dataclass(frozen=True)
class Marker:
    """Whose a folder is.

    Attributes:
        lake_id: Identity of the lake that the sink has written to.
        lake: Where that lake was.
    """

    lake_id: str
    lake: str


def read_marker(folder: Path) -> Marker | None:
    """Return whose a folder is; None where it is empty or new.

    Raises:
        CheckpointRefusedError: The folder holds something else.
    """
    if folder.parts and folder.parts[0].endswith(":"):
        raise CheckpointRefusedError(
            f"the checkpoint {folder} is a URL: give a folder of this machine; how far the topics "
            "were read, the lake itself knows"
        )
    try:
        names = [found.name for found in folder.iterdir()] if folder.exists() else []
        if MARKER in names:
            return Marker(**json.loads((folder / MARKER).read_text(encoding="utf-8")))
    except OSError as exc:
        raise CheckpointRefusedError(f"{folder} cannot be read: {exc.strerror}") from exc
    except (ValueError, TypeError):
        return None  # its writer ended while it wrote that; the lake knows all that matters
    if not set(names) <= {*_OURS}:
        raise CheckpointRefusedError(
            f"{folder} is not empty and is not a checkpoint of conformare; choose an empty or a new "
            "folder"
        )
    return None


def kept_in(folder: Path, lake_id: str | None) -> Path | None:
    """Return a folder, if it is there to keep something of a lake in; None where another lake's is.

    Args:
        folder: The folder.
        lake_id: Identity of the lake; None where it is not there yet.

    Raises:
        CheckpointRefusedError: The folder holds something else.
    """
    marker = read_marker(folder)
    is_of_another = marker is not None and marker.lake_id != lake_id
    return None if is_of_another else folder


def write_marker(folder: Path, marker: Marker) -> None:
    """Note in a folder whose it is.

    Raises:
        CheckpointRefusedError: It cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / MARKER).write_text(json.dumps(asdict(marker)), encoding="utf-8")
    except OSError as exc:
        raise CheckpointRefusedError(f"{folder} cannot be written: {exc.strerror}") from exc
