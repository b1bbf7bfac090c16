"""A file of events, one JSON object a line: for a system that is not reached from here."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from openlineage.client.serde import Serde

from conformare.openlineage._events import RunEvents
from conformare.openlineage.targets._target import TargetError

_BLOCK = 65_536


class FileTarget:
    """Appends events to a file, and makes it where it is missing.

    Args:
        path: The file.

    Raises:
        TargetError: It cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._file = path.open("a+b")
            _drop_part_of_a_line(self._file.fileno())
        except OSError as exc:
            raise self._fault(exc) from exc

    def send(self, runs: Sequence[RunEvents]) -> Iterator[tuple[RunEvents, str | None]]:
        """See `Target`; they are on the disk before the first is acknowledged."""
        lines = [Serde.to_json(event).encode() for run in runs for event in run.events]
        try:
            self._file.write(b"".join(line + b"\n" for line in lines))
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as exc:
            raise self._fault(exc) from exc
        for run in runs:
            yield run, None

    def close(self) -> None:
        """See `Target`."""
        self._file.close()

    def _fault(self, error: OSError) -> TargetError:
        return TargetError(f"{self._path} cannot be written: {error.strerror}")


def _drop_part_of_a_line(descriptor: int) -> None:
    """Cut off what an export that was killed has left behind the last whole line."""
    size = end = os.fstat(descriptor).st_size
    while end:
        start = max(end - _BLOCK, 0)
        found = os.pread(descriptor, end - start, start).rfind(b"\n")
        if found >= 0:
            end = start + found + 1
            break
        end = start
    if end < size:
        os.ftruncate(descriptor, end)
