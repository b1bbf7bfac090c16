"""Settings of a lake's store: its own names, from a file or from the environment.

deltalake reaches the tables and obstore what lies beside them. Both take the store's own names and
read the environment themselves, but not in all quite alike; what they are told here makes them agree.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from conformare_schemas.store._errors import StoreError

CONNECT_SECONDS = 3
RETRIES = 3
RETRY_SECONDS = 10
"""A store that does not answer is told within 15 seconds, whichever library asks it."""

_ENDPOINTS = {
    "AWS_": ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT"),
    "AZURE_": ("AZURE_STORAGE_ENDPOINT", "AZURE_ENDPOINT"),
    "GOOGLE_": ("GOOGLE_BASE_URL",),
}
"""Names of the endpoint; the first is the one that both libraries obey."""

_ENDPOINT_OF_S3 = "AWS_ENDPOINT_URL_S3"
"""In the environment, it goes before whatever the libraries are told."""

_IN_HEADERS = ("AWS_ACCESS_KEY_ID", "AWS_SESSION_TOKEN", "AWS_REGION", "AWS_DEFAULT_REGION")
"""The libraries panic where one of these has a line break in it."""

_YES_OR_NO = ("true", "1", "yes", "y", "on", "false", "0", "no", "n", "off")

_LEAST_SECRET = 8
"""Characters; shorter values are no secrets, and stand in other words."""

_OF_CLIENT = frozenset(
    {
        "allow_http",
        "allow_invalid_certificates",
        "connect_timeout",
        "http1_only",
        "http2_only",
        "pool_idle_timeout",
        "pool_max_idle_per_host",
        "proxy_ca_certificate",
        "proxy_excludes",
        "proxy_url",
        "timeout",
        "user_agent",
    }
)
"""Settings of the connection, for any store; obstore takes them apart from the others."""


class StoreSettings:
    """The settings that are in force for one store.

    Args:
        prefix: How their names begin.
        given: Those of a file, which go before those of the environment.

    Raises:
        StoreError: One of them cannot be right.
    """

    def __init__(self, prefix: str, given: Mapping[str, str]) -> None:
        for name in given:
            if not name.upper().startswith(prefix):
                raise StoreError(
                    f"{name} is no setting of the lake's store: its settings begin with {prefix}; "
                    "correct the name, or remove it"
                )
        self._prefix = prefix
        self._given = {name.upper(): value for name, value in given.items()}
        self.environment = {n: value for n, value in os.environ.items() if n.startswith(prefix)}
        self._in_force = {**self.environment, **self._given}
        self._require_readable_values()
        self._require_own_token()
        self._endpoint = self._found_endpoint()

    def for_deltalake(self) -> dict[str, str]:
        """Return what deltalake is told beside the environment."""
        return {
            **self._told(),
            "connect_timeout": f"{CONNECT_SECONDS}s",
            "max_retries": str(RETRIES),
            "retry_timeout": f"{RETRY_SECONDS}s",
        }

    def for_obstore(self, timeout_seconds: float | None = None) -> dict[str, Any]:
        """Return what obstore is told beside the environment, as keywords of `from_url`.

        Args:
            timeout_seconds: How long a request may take in all; what is set when not said.
        """
        timeout = {} if timeout_seconds is None else {"timeout": timedelta(seconds=timeout_seconds)}
        return {
            "config": {k: v for k, v in self._told().items() if self._of_client(k) is None},
            "client_options": {
                **{
                    option: value
                    for name, value in self._in_force.items()
                    if (option := self._of_client(name)) is not None
                },
                "connect_timeout": timedelta(seconds=CONNECT_SECONDS),
                **timeout,
            },
            "retry_config": {
                "max_retries": RETRIES,
                "retry_timeout": timedelta(seconds=RETRY_SECONDS),
            },
        }

    def hide(self, text: str) -> str:
        """Return a text without the values of settings that may be secret."""
        for name, value in self._in_force.items():
            is_secret = any(word in name for word in ("KEY", "SECRET", "TOKEN", "SAS"))
            if is_secret and len(value) >= _LEAST_SECRET:
                text = text.replace(value, "…")
        return text

    def _told(self) -> dict[str, str]:
        endpoints = _ENDPOINTS[self._prefix]
        others = {name: value for name, value in self._given.items() if name not in endpoints}
        return {**others, **self._endpoint}

    def _of_client(self, name: str) -> str | None:
        """Return which setting of the connection a name is, if it is one."""
        option = name.removeprefix(self._prefix).lower()
        return option if option in _OF_CLIENT else None

    def _require_readable_values(self) -> None:
        for name in (*self._given, *_IN_HEADERS):
            if not self._in_force.get(name, "").isprintable():
                raise StoreError(f"{name} has a character that cannot be printed: set it again")
        allow = f"{self._prefix}ALLOW_HTTP"
        if self._in_force.get(allow, "false").lower() not in _YES_OR_NO:
            raise StoreError(f"{allow} is neither true nor false: correct it")

    def _require_own_token(self) -> None:
        """Make sure that credentials of a file are not mixed with others of the environment."""
        key, token = "AWS_ACCESS_KEY_ID", "AWS_SESSION_TOKEN"
        if key in self._given and token not in self._given and self._in_force.get(token):
            raise StoreError(
                f"{token} of the environment does not go with {key} of --storage-options: unset "
                f"{token}, or set it there too"
            )

    def _found_endpoint(self) -> dict[str, str]:
        """Return the endpoint in force, under the name that both libraries obey."""
        names = _ENDPOINTS[self._prefix]
        given = next(((name, self._given[name]) for name in names if name in self._given), None)
        always = os.environ.get(_ENDPOINT_OF_S3) if _ENDPOINT_OF_S3 in names else None
        if always is not None:
            if given and given[1] != always:
                raise StoreError(
                    f"{_ENDPOINT_OF_S3} of the environment goes before {given[0]} of "
                    f"--storage-options: unset {_ENDPOINT_OF_S3}"
                )
            given = (_ENDPOINT_OF_S3, always)
        in_force = ((name, self._in_force[name]) for name in names if name in self._in_force)
        found = given or next(in_force, None)
        if found is None:
            return {}
        _require_url(*found)
        return {names[0]: found[1]}


def _require_url(name: str, value: str) -> None:
    try:
        parts = urlsplit(value)
        is_url = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # such as of a port that is no number
        is_url = False
    if not is_url or " " in value:
        raise StoreError(f"{name} is no URL: let it be like https://host or http://host:9000")
