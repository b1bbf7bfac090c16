"""What the sink's checks are told beside what every check is."""

from __future__ import annotations

from dataclasses import dataclass, field

from conformare_schemas.findings import Asked
from conformare_sink.kafka.access import ANYBODY, KafkaAccess
from conformare_sink.options import StorageSettings


@dataclass(frozen=True)
class SinkAsked(Asked):
    """What is to be looked at.

    Attributes:
        access: What the brokers want of their clients.
        lake: Folder of the lake; None for no lake.
        storage: Settings of its store.
    """

    access: KafkaAccess = ANYBODY
    lake: str | None = None
    storage: StorageSettings = field(default_factory=StorageSettings)
