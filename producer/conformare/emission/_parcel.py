"""An emission on its way, from the courier's point of view."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from conformare.emission._emission import Emission

Outcome = Literal["delivered", "rejected", "lost"]


@dataclass(eq=False)
class Parcel:
    """One emission that is to be delivered.

    Attributes:
        size_bytes: What it takes, in memory or on the disk.
        recorded_at: When it was recorded, UTC.
        emission: The emission; None as long as only its file has it.
        file: Its file in the spool; None where memory alone has it.
        own: Whether this process recorded it.
        attempts: How often it has been sent in vain.
        alone: Whether each of its messages is to be sent in a batch of its own.
        outcome: "delivered", "rejected" or "lost", and nothing more is to be done; None until then.
    """

    size_bytes: int
    recorded_at: datetime
    emission: Emission | None
    file: Path | None
    own: bool
    attempts: int = 0
    alone: bool = False
    outcome: Outcome | None = None
