"""OpenLineage's own HTTP client: a server such as Marquez, or a catalog that takes its events."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import requests
from openlineage.client.event_v2 import RunEvent
from openlineage.client.transport.http import HttpConfig, HttpTransport

from conformare.openlineage._events import RunEvents
from conformare.openlineage.targets._target import AGAIN, TargetError

TIMEOUT_SECONDS = 10.0
RETRIES = 3

_REFUSED = (400, 409, 413, 415, 422)
"""Answers that are about one event, and not about the server or who asks it."""


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
        told = {
            "url": f"{url.rstrip('/')}/",  # else its last part is replaced by the endpoint
            "endpoint": endpoint.lstrip("/"),
            "timeout": TIMEOUT_SECONDS,
            "retry": {"total": RETRIES, "connect": RETRIES, "read": RETRIES},
        }
        if api_key is not None:
            told["auth"] = {"type": "api_key", "apiKey": api_key}
        config = HttpConfig.from_dict(told)
        config.session = session
        self._transport = HttpTransport(config)

    def send(self, runs: Sequence[RunEvents]) -> Iterator[tuple[RunEvents, str | None]]:
        """See `Target`."""
        for run in runs:
            refusals = (self._refusal(event) for event in run.events)
            yield run, next((why for why in refusals if why is not None), None)

    def close(self) -> None:
        """See `Target`."""
        self._transport.close()

    def _refusal(self, event: RunEvent) -> str | None:
        """Post an event, and return why it is refused.

        Raises:
            TargetError: The server takes none; the address is in none of the texts.
        """
        try:
            self._transport.emit(event)
        except requests.HTTPError as exc:
            code = 0 if exc.response is None else exc.response.status_code
            if code in _REFUSED:
                return f"the server answered {code}"
            raise TargetError(f"the server answered {code}: {_HINTS.get(code, AGAIN)}") from None
        except requests.TooManyRedirects:
            raise TargetError("the server redirects: give the address that it leads to") from None
        except requests.RequestException as exc:
            why = next((text for kind, text in _FAULTS if isinstance(exc, kind)), "failed")
            raise TargetError(f"the server {why}: {AGAIN}") from None
        return None


_HINTS = {
    401: "give the key that it asks for in CONFORMARE_OPENLINEAGE_API_KEY",
    403: "the key in CONFORMARE_OPENLINEAGE_API_KEY may send no events",
    404: "correct --url or --endpoint",
    405: "correct --url or --endpoint",
}
_FAULTS: tuple[tuple[type[Exception], str], ...] = (
    (requests.exceptions.SSLError, "has a certificate that is not trusted here"),
    (requests.exceptions.RetryError, "answers with errors only"),
    (requests.Timeout, f"did not answer within {TIMEOUT_SECONDS:g} s"),
    (requests.ConnectionError, "could not be reached"),
)
