"""Settings of topics that somebody changes."""

from __future__ import annotations

import time
from collections.abc import Mapping

from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._config import AlterConfigOpType, ConfigEntry, ConfigResource
from confluent_kafka.admin._resource import ResourceType

SECONDS = 60
AGREEING_ANSWERS = 12


def alter(admin: AdminClient, topic: str, settings: Mapping[str, str]) -> None:
    """Change some settings of a topic, and return when brokers tell of it.

    Each learns of it by itself, and any of them may be asked: so all answers of a while must agree.
    """
    entries = [
        ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET)
        for name, value in settings.items()
    ]
    resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=entries)
    (changed,) = admin.incremental_alter_configs([resource]).values()
    changed.result(SECONDS)
    agree, deadline = 0, time.monotonic() + SECONDS
    while agree < AGREEING_ANSWERS:
        assert time.monotonic() < deadline
        asked = ConfigResource(ResourceType.TOPIC, topic)
        found = admin.describe_configs([asked])[asked].result(SECONDS)
        told = {name: found[name].value for name in settings}
        agree = agree + 1 if told == settings else 0
