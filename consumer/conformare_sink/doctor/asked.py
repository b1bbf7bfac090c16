"""What the sink's checks are told beside what every check is."""

from __future__ import annotations

from dataclasses import dataclass, field

from conformare_schemas.findings import Asked
from conformare_schemas.registry import RegistryAccess
from conformare_sink.kafka.access import ANYBODY, KafkaAccess
from conformare_sink.options import StorageSettings


@dataclass(frozen=True)
class SinkAsked(Asked):
    """What is to be looked at.

    Attributes:
        access: What the brokers want of their clients.
        lake: Folder of the lake; None for no lake.
        storage: Settings of its store.
        registry: How the Schema Registry is reached; None for no registry.
    """

    access: KafkaAccess = ANYBODY
    lake: str | None = None
    storage: StorageSettings = field(default_factory=StorageSettings)
    registry: RegistryAccess | None = None

    @property
    def registry_url(self) -> str | None:
        """Where the Schema Registry is."""
        return None if self.registry is None else self.registry.url
