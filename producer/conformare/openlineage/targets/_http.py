"""OpenLineage's own HTTP client: a server such as Marquez, or a catalog that takes its events."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

import requests
from openlineage.client.event_v2 import RunEvent
from openlineage.client.transport.http import HttpConfig, HttpTransport
from urllib3.exceptions import (
    ConnectTimeoutError,
    MaxRetryError,
    NewConnectionError,
    ProtocolError,
    ReadTimeoutError,
    SSLError,
)

from conformare.openlineage._events import RunEvents
from conformare.openlineage.targets._target import AGAIN, TargetError

CONNECT_SECONDS = 10.0
ANSWER_SECONDS = 60.0
"""A Marquez takes some 20 s for the columns of a table that has 3,000 of them."""
RETRIES = 3

FAILURES_IN_A_ROW = 10
"""After so many runs, each answered with 500, the server fails, and not what it makes of a run."""

_REFUSED = (400, 409, 413, 415, 422)
"""Answers that are about one event, and not about the server or who asks it."""
FAILED = 500
"""An answer that may be about one event, or about the server."""

_FINDING = re.compile(r"[A-Za-z_.\[\]0-9]{1,100}( [a-z]{1,20}){1,10}")
"""What may be shown of an answer: a path in the event and plain words, and so no address or key."""


class HttpTarget:
    """Posts events, each as soon as the one before was accepted.

    Args:
        url: The server, for which `is_address` holds; nothing of it is ever shown.
        endpoint: Path of the server that takes events.
        api_key: What to authenticate with, as a bearer token; None for nothing.
    """

    def __init__(self, url: str, endpoint: str, api_key: str | None = None) -> None:
        session = requests.Session()
        # Followed, a POST becomes a GET of some page, whose answer looks like an acceptance.
        session.max_redirects = 0
        told: dict[str, Any] = {
            "url": f"{url.rstrip('/')}/",  # else its last part is replaced by the endpoint
            "endpoint": endpoint.lstrip("/"),
            "timeout": (CONNECT_SECONDS, ANSWER_SECONDS),
            "retry": {
                "total": RETRIES,
                "connect": RETRIES,
                "read": 1,  # for a connection that the server has closed meanwhile
                "raise_on_status": False,  # the last answer tells which failure it was
                "respect_retry_after_header": False,  # it may ask for a day
            },
        }
        if api_key is not None:
            told["auth"] = {"type": "api_key", "apiKey": api_key}
        config = HttpConfig.from_dict(told)
        config.session = session
        self._transport = HttpTransport(config)
        self._failures = 0

    def send(self, runs: Sequence[RunEvents]) -> Iterator[tuple[RunEvents, str | None]]:
        """See `Target`."""
        for run in runs:
            refusals = (self._refusal(event) for event in run.events)
            refusal = next((why for why in refusals if why is not None), None)
            if refusal is None:
                self._failures = 0
            yield run, refusal

    def close(self) -> None:
        """See `Target`."""
        self._transport.close()

    def _refusal(self, event: RunEvent) -> str | None:
        """Post an event, and return why it is refused.

        Raises:
            TargetError: The server takes none; the address is in none of the texts.
        """
        try:
            answer = self._transport.emit(event)
        except requests.HTTPError as exc:
            code = 0 if exc.response is None else exc.response.status_code
            if code == FAILED:
                # Such as a name that is too long for its database: no other run is to wait for it.
                self._failures += 1
            if code in _REFUSED or (code == FAILED and self._failures < FAILURES_IN_A_ROW):
                return f"the server answered {code}{_finding(exc.response)}"
            raise TargetError(f"the server answered {code}: {_HINTS.get(code, AGAIN)}") from None
        except requests.TooManyRedirects:
            raise TargetError("the server redirects: give the address that it leads to") from None
        except requests.RequestException as exc:
            fault = _without_retries(exc)
            why = next((text for kind, text in _FAULTS if isinstance(fault, kind)), "failed")
            raise TargetError(f"the server {why}: {AGAIN}") from None
        if answer.headers.get("Content-Type", "").startswith("text/html"):
            # Of a proxy that wants a login: the events have reached nobody.
            raise TargetError("the server answered with a web page: correct --url or --endpoint")
        return None


def _without_retries(exc: requests.RequestException) -> Exception:
    """Return what happened at the last try: to requests, that there was none left is the fault."""
    last = exc.args[0] if exc.args else None
    return last.reason if isinstance(last, MaxRetryError) and last.reason is not None else exc


def _finding(answer: requests.Response | None) -> str:
    """Return what a server, such as Marquez, finds wrong with an event, as far as it may be shown."""
    try:
        document = None if answer is None else answer.json()
    except ValueError:
        return ""
    found = document.get("errors") if isinstance(document, dict) else None
    texts = found if isinstance(found, list) else []
    shown = (one for one in texts if isinstance(one, str) and _FINDING.fullmatch(one))
    return next((f": {one}" for one in shown), "")


_HINTS = {
    401: "give the key that it asks for in CONFORMARE_OPENLINEAGE_API_KEY",
    403: "the key in CONFORMARE_OPENLINEAGE_API_KEY may send no events",
    404: "correct --url or --endpoint",
    405: "correct --url or --endpoint",
}
_FAULTS: tuple[tuple[type[Exception], str], ...] = (
    (SSLError, "has a certificate that is not trusted here"),
    (ReadTimeoutError, f"did not answer within {ANSWER_SECONDS:g} s"),
    (ConnectTimeoutError, "could not be reached"),
    (NewConnectionError, "could not be reached"),
    (ProtocolError, "broke the connection"),
)
