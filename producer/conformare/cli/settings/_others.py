"""The settings of `conformare config` and `schemas`."""

from __future__ import annotations

from typing import Annotated

from conformare.cli.settings._shared import Printed
from conformare_schemas import DEFAULT_TOPIC_PREFIX
from conformare_schemas.registry import SCHEMA_REGISTRY_URL, RegistrySettings
from conformare_schemas.settings import TopicPrefix


class ConfigShowSettings(Printed):
    """Of `conformare config show`."""


class SchemasSettings(RegistrySettings):
    """Of every command of `conformare schemas`."""

    schema_registry_url: Annotated[str, SCHEMA_REGISTRY_URL]
    topic_prefix: TopicPrefix = DEFAULT_TOPIC_PREFIX
