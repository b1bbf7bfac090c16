"""URLs: what stands before the host, and behind the path."""

from __future__ import annotations

import re

from conformare.capture.locations._connection_string import (
    without_parameters,
    without_secrets_in_parentheses,
)
from conformare.capture.locations._hidden import HIDDEN

# Between scheme and path these name a container, which is not a user.
_CONTAINER_SCHEMES = ("abfs", "abfss", "wasb", "wasbs")
# Object stores have no ports, so a colon there always belongs to a key.
_PORTLESS_SCHEMES = ("s3", "s3a", "s3n", "gs", "oss", "cosn", "obs")

_SCHEME = re.compile(r"^(?:jdbc:)?(?P<scheme>[A-Za-z][A-Za-z0-9+.\-:]*?)://", re.DOTALL)
_HOST_AND_PORT = re.compile(r"^(?:\[[^\]@]*\]|[^:@]*)(?::\d*)?(?:,[^:@,]+(?::\d*)?)*$")


def has_scheme(location: str) -> bool:
    """Whether a location begins as a URL does, one for JDBC too."""
    return _SCHEME.match(location) is not None


def redacted_url(location: str) -> str:
    """Return a URL without user, secrets and parameters that name no place."""
    return without_parameters(
        without_user(without_secrets_in_parentheses(location)), separators="?#"
    )


def without_user(location: str) -> str:
    """Return a URL with what stands before its host hidden; anything else as it is."""
    found = _SCHEME.match(location)
    if found is None:
        return location
    start, scheme = found.end(), found["scheme"].lower()
    rest = location[start:]
    authority = re.split(r"[/?#;]", rest, maxsplit=1)[0]
    if ":" in authority and "@" in rest:
        looks_like_host = _HOST_AND_PORT.match(authority) is not None
        if looks_like_host and scheme not in _PORTLESS_SCHEMES:
            return location
        # A key may hold "/" and "@" unescaped: everything up to the last "@" may be part of it.
        return f"{location[:start]}{HIDDEN}@{rest.rpartition('@')[2]}"
    if "@" in authority and scheme not in _CONTAINER_SCHEMES:
        return f"{location[:start]}{HIDDEN}@{rest[authority.rindex('@') + 1 :]}"
    return location
