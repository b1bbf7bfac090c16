"""What tasks found in a batch, small enough for the driver: names of files, digests and counts."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from conformare_sink.lake.tables.data_file import DataFile
from conformare_sink.messages.emission import Decision
from conformare_sink.messages.headers import Sequences, together


@dataclass
class Found:
    """What one task found, or several together."""

    messages: int = 0
    files: dict[str, list[DataFile]] = field(default_factory=lambda: defaultdict(list))
    """Table → files that were written for it."""
    decisions: Counter[Decision] = field(default_factory=Counter)
    """Emissions that were decided."""
    identities: dict[Decision, list[bytes]] = field(default_factory=lambda: defaultdict(list))
    """Which ones, where somebody wants to know: the `emission_identity` of each."""
    landed: bytes = b""
    """Digests of the runs whose rows are in the files, one after the other."""
    recorded: npt.NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    """When these were recorded, in seconds since 1970, of those that tell it."""
    waiting: list[pa.Table] = field(default_factory=list)
    """Messages that are left to the driver: rows of the table `pending`, without values."""
    rejected: list[bytes] = field(default_factory=list)
    """Digests of the places of messages that cannot be used."""
    unresolved: set[int] = field(default_factory=set)
    """Schema ids of some of them, of which nothing is known."""
    sequences: Sequences = field(default_factory=dict)
    """Producer → numbers of its emissions."""
    heavy: list[int] = field(default_factory=list)
    """Parts of the batch that weigh more than a task holds: nothing was done with them."""
    fault: str | None = None
    """Why a task could not do its work, in one line."""

    def add(self, other: Found) -> None:
        """Add what another task found."""
        self.messages += other.messages
        for table, files in other.files.items():
            self.files[table] += files
        self.decisions += other.decisions
        for decision, identities in other.identities.items():
            self.identities[decision] += identities
        self.landed += other.landed
        self.recorded = np.concatenate([self.recorded, other.recorded])
        self.waiting += other.waiting
        self.rejected += other.rejected
        self.unresolved |= other.unresolved
        self.sequences = together(self.sequences, other.sequences)
        self.heavy += other.heavy
        self.fault = self.fault or other.fault
