"""What a job shows to brokers: its writer's options, as this machine's settings have them."""

from __future__ import annotations

import json

from pydantic import ValidationError

from conformare_schemas.settings import SettingsError, definitions, in_force, known_models
from conformare_sink.errors import KafkaSettingsError
from conformare_sink.kafka.access import ANYBODY, SYNONYMS, KafkaAccess

SETTING = "kafka"
"""Has librdkafka's options: as JSON in the environment, as a table in a configuration file."""


def access_of_job() -> KafkaAccess:
    """Return what the job's writer shows to brokers, of what an examination can show as well.

    Raises:
        KafkaSettingsError: The options cannot be read, or are not consistent.
    """
    known = [one for model in known_models() for one in definitions(model) if one.name == SETTING]
    if not known:
        return ANYBODY
    try:
        found = in_force(known[0])
    except SettingsError as exc:
        raise KafkaSettingsError(str(exc)) from exc
    if found.origin == "default":
        return ANYBODY
    of_environment = found.origin == "environment"
    place = known[0].variable if of_environment else f"{SETTING} in the configuration file"
    try:
        given = json.loads(found.value) if of_environment else found.value
        options = {SYNONYMS.get(name, name): value for name, value in given.items()}
    except (ValueError, AttributeError) as exc:
        raise KafkaSettingsError(f"{place} is no object in JSON: correct it") from exc
    aliases = {field.alias for field in KafkaAccess.model_fields.values() if field.alias}
    try:
        return KafkaAccess(**{name: value for name, value in options.items() if name in aliases})
    except ValidationError as exc:
        told = "; ".join(error["msg"].removeprefix("Value error, ") for error in exc.errors())
        raise KafkaSettingsError(
            f"{place}: {told}; what doctor cannot show to brokers, a file for --kafka-settings can"
        ) from None  # its chain has the values
