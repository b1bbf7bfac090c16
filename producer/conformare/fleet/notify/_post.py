"""One POST to an address that is a secret: nothing of it is ever shown."""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from conformare._errors import ConformareError

TIMEOUT_SECONDS = 10.0
"""For each step of a connection."""
WHOLE_SECONDS = 30.0
"""For all of them together: a receiver may answer a byte at a time."""


class PostError(ConformareError):
    """A message was not accepted; the next report tells the same again."""


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        """Follow none: what is signed for one address is for no other."""


def is_address(url: str) -> bool:
    """Return whether a URL can be posted to: http or https, with no user before the host."""
    try:
        parts = urlsplit(url)
        return (
            parts.scheme in ("http", "https")
            and bool(parts.hostname)
            and parts.port != 0
            and parts.username is None
            and url.isascii()
            and url.isprintable()
            and " " not in url
        )
    except ValueError:
        return False


class HttpPost:
    """Posts JSON to an address.

    Args:
        url: Where to, for which `is_address` holds.
        whom: Who is there, for an error, such as the webhook.
    """

    def __init__(self, url: str, whom: str) -> None:
        self._url = url
        self._whom = whom

    def send(self, body: bytes, headers: Mapping[str, str]) -> None:
        """Send a body, and wait until it is accepted.

        Raises:
            PostError: It was not, in bounded time.
        """
        outcome: list[str | None] = []
        # On a thread of its own, for a time-out is of one step only.
        thread = threading.Thread(
            target=lambda: outcome.append(self._refusal(body, headers)), daemon=True
        )
        thread.start()
        thread.join(WHOLE_SECONDS)
        refusal = outcome[0] if outcome else f"did not answer within {WHOLE_SECONDS:g} s"
        if refusal is not None:
            raise PostError(f"{self._whom} {refusal}: the next report tells the same again")

    def _refusal(self, body: bytes, headers: Mapping[str, str]) -> str | None:
        """Return why a body was not accepted; the address is in none of the texts."""
        request = urllib.request.Request(  # noqa: S310 - is_address lets in http and https alone
            self._url,
            data=body,
            headers={
                "Content-Type": "application/json",
                "User-Agent": "conformare-fleet",
                **headers,
            },
            method="POST",
        )
        opener = urllib.request.build_opener(_NoRedirects)
        try:
            with opener.open(request, timeout=TIMEOUT_SECONDS):
                return None
        except urllib.error.HTTPError as exc:
            with exc:
                return f"answered {exc.code}"
        except (OSError, http.client.HTTPException, ValueError) as exc:
            reason = getattr(exc, "reason", exc)
            return next(
                (text for kind, text in _FAULTS if isinstance(reason, kind)),
                f"could not be reached ({type(reason).__name__})",
            )


_FAULTS: tuple[tuple[type[BaseException], str], ...] = (
    (ssl.SSLCertVerificationError, "has a certificate that is not trusted here"),
    (ssl.SSLError, "speaks no TLS that is understood here"),
    (socket.gaierror, "has a host name that is not known here"),
    (ConnectionRefusedError, "refuses the connection"),
    (TimeoutError, f"did not answer within {TIMEOUT_SECONDS:g} s"),
)
