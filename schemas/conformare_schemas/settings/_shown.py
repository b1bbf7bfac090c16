"""What may be shown of a setting's value: a secret is hidden, and so is what an address carries."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import Enum
from typing import Any

from conformare_schemas.settings._definition import Definition

HIDDEN = "hidden"
_ASKED_OF_ADDRESS = re.compile("[?#;]")
_ASKED = re.compile(r"[?;]\S*=")


def shown(definition: Definition, value: Any) -> str:
    """Return a value as it can be printed.

    Args:
        definition: The setting.
        value: As it was given; None for the default.
    """
    if value is None:
        return definition.default_text
    if isinstance(value, Mapping):
        return ", ".join(f"{name}={HIDDEN}" for name in value)
    if definition.about.is_secret:
        return HIDDEN
    if isinstance(value, (list, tuple)):
        return ", ".join(_without_secrets(str(one)) for one in value)
    if isinstance(value, Enum):
        value = value.value
    return str(value).lower() if isinstance(value, bool) else _without_secrets(str(value))


def _without_secrets(text: str) -> str:
    """Return a text; of an address, without user, password and what is asked for."""
    scheme, separator, rest = text.partition("://")
    if not separator:
        scheme, rest = "", text
    # A password may have any character, so all before the last @ goes. Names have none before it.
    user, at, place = rest.rpartition("@")
    if at and (separator or ":" in user):
        rest = f"…@{place}"
    asked = (_ASKED_OF_ADDRESS if separator else _ASKED).search(rest)
    if asked is not None:
        rest = f"{rest[: asked.start()]}?…"
    return f"{scheme}{separator}{rest}"
