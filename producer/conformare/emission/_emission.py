"""One emission: what one call that records sends, ready to be sent by any process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Message:
    """One Kafka message: some rows of one grain of one emission."""

    grain: str
    key: bytes
    value: bytes


@dataclass(frozen=True)
class Emission:
    """All messages of one call that records, `runs` last, with what is said beside them.

    Attributes:
        pipeline: Identity of the pipeline; empty where a location's risks are declared.
        run_id: Identity of the run within it, or the location; the key of every message.
        emission_id: UUIDv7 of the call; the same however often the emission is sent.
        recorded_at: When the call was made, UTC.
        headers: Headers of every message.
        messages: Its messages, in the order in which they are to be produced.
    """

    pipeline: str
    run_id: str
    emission_id: str
    recorded_at: datetime
    headers: Mapping[str, bytes]
    messages: tuple[Message, ...]

    @property
    def name(self) -> str:
        """What it records, in words."""
        return f"run {self.run_id!r}" if self.pipeline else f"declaration of {self.run_id!r}"

    @property
    def size_bytes(self) -> int:
        """Bytes of all keys and values."""
        return sum(len(message.key) + len(message.value) for message in self.messages)
