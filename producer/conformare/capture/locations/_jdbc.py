"""JDBC URLs: as other URLs, but for Oracle's users and for parameters behind semicolons."""

from __future__ import annotations

import re

from conformare.capture.locations._connection_string import (
    without_parameters,
    without_secrets_in_parentheses,
)
from conformare.capture.locations._hidden import HIDDEN
from conformare.capture.locations._url import has_scheme, without_user

_ORACLE = re.compile(r"^(jdbc:oracle:\w+:).*@", re.IGNORECASE | re.DOTALL)
_ORACLE_WITHOUT_HOST = re.compile(r"^(jdbc:oracle:\w+:)[^@]*/[^@]*$", re.IGNORECASE | re.DOTALL)


def is_jdbc(location: str) -> bool:
    """Whether a location is a JDBC URL."""
    return location.lower().startswith("jdbc:")


def redacted_jdbc(location: str) -> str:
    """Return a JDBC URL without user, secrets and parameters that name no place."""
    text = without_secrets_in_parentheses(location)
    if _ORACLE.match(text):
        text = _ORACLE.sub(rf"\g<1>{HIDDEN}@", text)
    elif _ORACLE_WITHOUT_HOST.match(text) and not has_scheme(text):
        text = _ORACLE_WITHOUT_HOST.sub(rf"\g<1>{HIDDEN}", text)
    else:
        text = without_user(text)
    return without_parameters(text, separators="?;")
