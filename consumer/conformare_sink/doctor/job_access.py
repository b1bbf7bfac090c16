"""What a job shows to brokers: its writer's options, as the environment of this machine has them."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping

from pydantic import ValidationError

from conformare_sink.errors import KafkaSettingsError
from conformare_sink.kafka.access import ANYBODY, SYNONYMS, KafkaAccess

VARIABLE = "CONFORMARE_KAFKA"
"""Has librdkafka's options as JSON; `configure_store(kafka=…)` reads it, too."""


def access_of_job(environment: Mapping[str, str] = os.environ) -> KafkaAccess:
    """Return what the job's writer shows to brokers, of what an examination can show as well.

    Raises:
        KafkaSettingsError: The options are not JSON, or not consistent.
    """
    text = environment.get(VARIABLE, "").strip()
    if not text:
        return ANYBODY
    try:
        given = json.loads(text)
        options = {SYNONYMS.get(name, name): value for name, value in given.items()}
    except (ValueError, AttributeError) as exc:
        raise KafkaSettingsError(f"{VARIABLE} is no object in JSON: correct it") from exc
    known = {field.alias for field in KafkaAccess.model_fields.values() if field.alias}
    try:
        return KafkaAccess(**{name: value for name, value in options.items() if name in known})
    except ValidationError as exc:
        told = "; ".join(error["msg"].removeprefix("Value error, ") for error in exc.errors())
        raise KafkaSettingsError(
            f"{VARIABLE}: {told}; what doctor cannot show to brokers, a file for --kafka-settings can"
        ) from None  # its chain has the values
