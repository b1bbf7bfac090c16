"""What is noted of runs while they are being appended, so that the next process can undo it."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from conformare_sink.messages.emission import RunKey


@dataclass(frozen=True)
class LandingNote:
    """What is being appended: files, or the rows of some runs where tables take no files."""

    runs: Collection[RunKey] = ()
    """The runs, where their rows are appended."""
    files: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """Table → the files that it gets, with the rows of each."""
    versions: Mapping[str, int] = field(default_factory=dict)
    """Table → a version before it gets them."""

    @classmethod
    def read(cls, content: bytes | None) -> LandingNote:
        """Return what was noted.

        A note that is not whole says nothing: its writer ended before it appended anything.
        """
        try:
            told: dict[str, Any] = json.loads(content or b"{}")
            runs = [RunKey(*run) for run in told["runs"]]
            return cls(runs, {**told["files"]}, {**told["versions"]})
        except (ValueError, TypeError, KeyError):
            return cls()

    def as_json(self) -> bytes:
        """Return the note as it is written."""
        told = {"runs": [*map(list, self.runs)], "files": self.files, "versions": self.versions}
        return json.dumps(told).encode()
