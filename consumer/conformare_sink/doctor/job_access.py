"""What a job shows to brokers and to a registry: its writer's options, as this machine's settings have them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from conformare_schemas.registry import RegistryAccess, RegistryError
from conformare_schemas.settings import (
    Definition,
    SettingsError,
    definitions,
    in_force,
    known_models,
    told,
)
from conformare_sink.errors import KafkaSettingsError
from conformare_sink.kafka.access import ANYBODY, SYNONYMS, KafkaAccess

BROKERS, REGISTRY = "kafka", "schema_registry"
"""What a writer is told of each: as JSON in the environment, as a table in a configuration file."""


def access_of_job() -> KafkaAccess:
    """Return what the job's writer shows to brokers, of what an examination can show as well.

    Raises:
        KafkaSettingsError: The options cannot be read, or are not consistent.
    """
    given = _given(BROKERS)
    options = {SYNONYMS.get(name, name): value for name, value in given.items()}
    known = {field.alias for field in KafkaAccess.model_fields.values() if field.alias}
    try:
        found = KafkaAccess(**{name: value for name, value in options.items() if name in known})
    except ValidationError as exc:
        faults = "; ".join(map(told, exc.errors()))
        raise KafkaSettingsError(
            f"{_place(BROKERS)}: {faults}; what doctor cannot show to brokers, a file for "
            "--kafka-settings can"
        ) from None  # its chain has the values
    return found if options else ANYBODY


def registry_of_job(registry: RegistryAccess) -> RegistryAccess:
    """Return a registry with what the job's writer shows to it.

    Raises:
        KafkaSettingsError: The options cannot be read, or do not fit.
    """
    try:
        return RegistryAccess.of(registry.url, _given(REGISTRY), registry.subject_strategy)
    except RegistryError as exc:
        raise KafkaSettingsError(f"{_place(REGISTRY)}: {exc}") from None


def _given(name: str) -> Mapping[str, Any]:
    """Return what is said of a setting that has several values; empty where nothing is."""
    try:
        found = in_force(_definition(name))
    except SettingsError as exc:
        raise KafkaSettingsError(str(exc)) from exc
    if found.origin == "default":
        return {}
    try:
        value = json.loads(found.value) if found.origin == "environment" else found.value
    except ValueError as exc:
        raise KafkaSettingsError(f"{_place(name)} is no object in JSON: correct it") from exc
    if not isinstance(value, Mapping):
        raise KafkaSettingsError(f"{_place(name)} is no object in JSON: correct it")
    return value


def _place(name: str) -> str:
    return f"{name} ({_definition(name).variable})"


def _definition(name: str) -> Definition:
    """Return a setting of a job's, which the job's side defines."""
    return next(one for model in known_models() for one in definitions(model) if one.name == name)
