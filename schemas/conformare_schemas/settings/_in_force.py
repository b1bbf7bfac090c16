"""Which value of a setting is in force, and where it comes from."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from datetime import date, time
from enum import Enum
from typing import Any, Literal, NamedTuple

from pydantic import ValidationError, create_model

from conformare_schemas.settings._config_file import SettingsError, config_file
from conformare_schemas.settings._definition import Definition, Settings

Origin = Literal["default", "file", "environment", "command line"]

HIDDEN = "hidden"
_ADDRESS = re.compile(r"^([a-z][a-z0-9+.-]*://)([^/?#]*@)?([^?#]*)([?#].*)?$", re.IGNORECASE)


class InForce(NamedTuple):
    """A value that is in force.

    Attributes:
        value: As it was given, None for the default.
        origin: Where it comes from.
    """

    value: Any
    origin: Origin


def in_force(definition: Definition) -> InForce:
    """Return what the environment says of a setting, else the configuration file.

    Args:
        definition: The setting.

    Raises:
        SettingsError: The configuration file cannot be used, or its value does not fit.
    """
    text = os.environ.get(definition.variable, "") if definition.about.has_variable else ""
    if text.strip():
        return InForce(text, "environment")
    file = config_file() if definition.is_of_file else None
    if file is not None and definition.name in file.values:
        value = file.values[definition.name]
        fault = misfit(definition, value)
        if fault is not None:
            raise SettingsError(f"{file.path}: {definition.name}: {fault}")
        return InForce(value, "file")
    return InForce(None, "default")


def misfit(definition: Definition, value: Any) -> str | None:
    """Return why a value of a configuration file cannot be that of a setting; None where it can.

    Types are those of TOML: the text "9464" is no number, and 1 is not true.

    Args:
        definition: The setting.
        value: As the file has it.
    """
    if value == "" and not definition.name.endswith("_prefix"):
        return "it is empty"
    if isinstance(value, (date, time)):
        return "it is a date or a time: put a text in quotes"
    # A model of this one field: what stands beside the type in the definition counts as well.
    fields: dict[str, Any] = {definition.field: (definition.info.annotation, definition.info)}
    alone = create_model("Alone", __base__=Settings, **fields)
    try:
        # As JSON, whose texts may stand for paths and times; nothing else is made of a wrong type.
        alone.model_validate_json(json.dumps({definition.name: value}, default=str), strict=True)
    except ValidationError as exc:
        return "; ".join(told(error) for error in exc.errors())
    return None


def told(error: Mapping[str, Any]) -> str:
    """Return one of pydantic's errors in words."""
    return str(error["msg"]).removeprefix("Value error, ")


def shown(definition: Definition, value: Any) -> str:
    """Return a value as it can be printed: a secret is hidden, and so is what an address carries."""
    if value is None:
        return definition.default_text
    if isinstance(value, Mapping):
        return ", ".join(f"{name}={HIDDEN}" for name in value)
    if definition.about.is_secret:
        return HIDDEN
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value))
    if isinstance(value, Enum):
        value = value.value
    return str(value).lower() if isinstance(value, bool) else _without_secrets(str(value))


def _without_secrets(text: str) -> str:
    """Return a text; of an address, without user, password and what is asked for."""
    found = _ADDRESS.match(text)
    if found is None:
        return text
    scheme, user, place, rest = found.groups()
    return f"{scheme}{'…@' if user else ''}{place}{'?…' if rest else ''}"
