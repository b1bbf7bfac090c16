"""Settings of topics that somebody changes."""

from __future__ import annotations

from collections.abc import Mapping

from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._config import AlterConfigOpType, ConfigEntry, ConfigResource
from confluent_kafka.admin._resource import ResourceType

SECONDS = 60


def alter(admin: AdminClient, topic: str, settings: Mapping[str, str]) -> None:
    """Change some settings of a topic."""
    entries = [
        ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET)
        for name, value in settings.items()
    ]
    resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=entries)
    (changed,) = admin.incremental_alter_configs([resource]).values()
    changed.result(SECONDS)
