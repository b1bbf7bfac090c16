"""Who may ask a server: its hosts, its token, the origin of a form; and what every answer says."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import secrets
import socket
from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection

from conformare._errors import FleetError

TOKEN_LETTERS = 16
"""A shorter token can be guessed."""
COOKIE = "conformare_fleet"

_OURS = ("script-src", "style-src", "img-src", "connect-src", "form-action")
HEADERS = (
    (
        "content-security-policy",
        "; ".join(
            (
                "default-src 'none'",
                *(f"{what} 'self'" for what in _OURS),
                "base-uri 'none'",
                "frame-ancestors 'none'",
            )
        ),
    ),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    # Not `no-referrer`: browsers would then send forms with the origin `null`.
    ("referrer-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("cache-control", "no-store"),
)
"""Headers of every answer. uPlot and Cytoscape set styles by script, which is no inline style."""


def is_loopback(host: str) -> bool:
    """Whether a server that listens there can be reached from its own machine alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@dataclass(frozen=True)
class Guard:
    """What a server asks of who asks it.

    Attributes:
        token: What opens it; None where nobody is asked, which loopback alone may do.
        hosts: Names that it answers to, beside `localhost` and addresses of IP.
        form_token: What a form of this process carries.
    """

    token: str | None = field(repr=False)
    hosts: frozenset[str] = frozenset()
    form_token: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)
    _secret: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)

    @classmethod
    def for_host(cls, host: str, token: str | None, more_hosts: Iterable[str] = ()) -> Guard:
        """Return the guard of a server that listens on a host.

        Raises:
            FleetError: It can be reached by others, and has no token, or one that can be guessed.
        """
        if token is None and not is_loopback(host):
            raise FleetError(
                f"a server on {host} can be reached by others: give it a token, by --token-file "
                "or CONFORMARE_FLEET_TOKEN, or let it listen on 127.0.0.1"
            )
        if token is not None and len(token) < TOKEN_LETTERS:
            raise FleetError(f"the token is too short: take {TOKEN_LETTERS} characters or more")
        names = (
            {host, *more_hosts} if is_loopback(host) else {host, socket.gethostname(), *more_hosts}
        )
        return cls(token, frozenset(name.lower() for name in names))

    def knows_host(self, header: str | None) -> bool:
        """Whether a request names this server; another name may be rebound to this machine."""
        try:
            name = urlsplit(f"//{header}").hostname if header else None
        except ValueError:
            return False
        if name is None:
            return False
        if name in self.hosts or name == "localhost":
            return True
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return True

    def is_open_to(self, request: HTTPConnection) -> bool:
        """Whether a request has shown the token, in a header or by the cookie of a log-in."""
        if self.token is None:
            return True
        scheme, _, shown = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and self.is_token(shown.strip()):
            return True
        return _same(request.cookies.get(COOKIE, ""), self.session)

    def is_token(self, shown: str) -> bool:
        """Whether a text is the token, in a time that tells nothing."""
        return self.token is not None and _same(shown, self.token)

    @property
    def session(self) -> str:
        """What the cookie of a log-in holds; it ends with this process."""
        return hmac.new(self._secret, b"session", hashlib.sha256).hexdigest()

    def is_own_form(self, request: HTTPConnection, form_token: str) -> bool:
        """Whether a form was sent by a page of this server."""
        site = request.headers.get("sec-fetch-site")
        if site is not None and site != "same-origin":
            return False
        origin = request.headers.get("origin")
        if origin is not None and urlsplit(origin).netloc != request.headers.get("host"):
            return False
        return (site is not None or origin is not None) and _same(form_token, self.form_token)


def _same(one: str, other: str) -> bool:
    return secrets.compare_digest(
        hashlib.sha256(one.encode("utf-8", "replace")).digest(),
        hashlib.sha256(other.encode("utf-8", "replace")).digest(),
    )
