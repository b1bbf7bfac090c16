"""`name=value` pairs, behind a location or in parentheses inside one."""

from __future__ import annotations

import re

from conformare.capture.locations._hidden import HIDDEN

# Parameters whose values name a place and never a secret. Every other one is dropped, name and
# value: an unknown name may itself be part of a password with an unescaped separator.
_PLACE_PARAMETERS = frozenset(
    {
        "catalog",
        "currentschema",
        "database",
        "databasename",
        "db",
        "encrypt",
        "httppath",
        "instance",
        "role",
        "schema",
        "servicename",
        "ssl",
        "sslmode",
        "warehouse",
    }
)
_PARAMETER = re.compile(r"^\s*([A-Za-z]+)=([\w.\-/ ]*)\s*$")
_SECRET_IN_PARENTHESES = re.compile(
    r"\([^()]*(?:user|pass|pwd|secret|token|key)[^()=]*=[^()]*\)", re.IGNORECASE
)


def without_secrets_in_parentheses(text: str) -> str:
    """Return a location with every pair of parentheses hidden that names a user or a secret."""
    return _SECRET_IN_PARENTHESES.sub(f"({HIDDEN})", text)


def without_parameters(text: str, separators: str) -> str:
    """Return a location with those parameters only that name a place.

    Args:
        text: The location.
        separators: The characters that may begin its parameters.
    """
    found = [text.index(separator) for separator in separators if separator in text]
    if not found or "=" not in text[min(found) :]:
        return text  # a "?" in a path is a wildcard
    start = min(found)
    separator = ";" if text[start] == ";" else "&"
    kept: dict[str, None] = {}
    for parameter in re.split(r"[&;?#]", text[start + 1 :]):
        match = _PARAMETER.match(parameter)
        is_place = match is not None and match[1].lower() in _PLACE_PARAMETERS
        kept.setdefault(parameter.strip() if is_place else HIDDEN)
    return text[: start + 1] + separator.join(kept)
