"""Which value of a setting is in force, and where it comes from."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from datetime import date, time
from typing import Any, Literal, NamedTuple

from pydantic import ValidationError, create_model

from conformare_schemas.settings._config_file import SettingsError, config_file
from conformare_schemas.settings._definition import Definition, Settings, definitions
from conformare_schemas.settings._known import known_models

Origin = Literal["default", "file", "environment", "command line"]


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
    about = definition.about
    is_of_environment = about.has_variable and not about.of_job_only
    text = os.environ.get(definition.variable, "") if is_of_environment else ""
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
    if isinstance(value, str) and not value.strip() and not definition.name.endswith("_prefix"):
        return "it is empty"
    if isinstance(value, (date, time)):
        return "it is a date or a time: put a text in quotes"
    alone = _alone(definition)
    try:
        # As JSON, whose texts may stand for paths and times; nothing else is made of a wrong type.
        alone.model_validate_json(json.dumps({definition.name: value}, default=str), strict=True)
    except ValidationError as exc:
        return "; ".join(told(error) for error in exc.errors())
    return None


def misfitting_variables() -> Iterator[str]:
    """Yield a line for each variable of a setting whose text cannot be its value."""
    named: dict[str, list[Definition]] = {}
    for one in (one for model in known_models() for one in definitions(model) if one.is_of_file):
        named.setdefault(one.variable, []).append(one)
    for variable, several in sorted(named.items()):
        text = os.environ.get(variable, "").strip()
        # Of several definitions, such as of the option `writer`, one may fit and others not.
        faults = [_misfit_of_text(one, text) for one in several] if text else []
        if faults and all(faults):
            yield f"{variable}: {faults[0]}"


def _misfit_of_text(definition: Definition, text: str) -> str | None:
    try:
        value = json.loads(text) if text.startswith("{") else text
        _alone(definition).model_validate({definition.name: value})
    except ValidationError as exc:
        return "; ".join(told(error) for error in exc.errors())
    except ValueError:
        return "it is not JSON"
    return None


def _alone(definition: Definition) -> type[Settings]:
    """Return a model of one field: what stands beside its type in the definition counts as well."""
    fields: dict[str, Any] = {definition.field: (definition.info.annotation, definition.info)}
    return create_model("Alone", __base__=Settings, **fields)


def told(error: Mapping[str, Any]) -> str:
    """Return one of pydantic's errors in words."""
    return str(error["msg"]).removeprefix("Value error, ")
