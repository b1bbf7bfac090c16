"""Who may ask a server."""

from __future__ import annotations

import pytest
from starlette.requests import HTTPConnection

from conformare._errors import FleetError
from conformare.fleet.page._guard import COOKIE, Guard, is_loopback

TOKEN = "0123456789abcdef"  # noqa: S105 - of a test


def request(**headers: str) -> HTTPConnection:
    """Return a request with some headers."""
    pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return HTTPConnection({"type": "http", "headers": pairs})


@pytest.mark.parametrize(
    ("host", "is_own"),
    [
        ("localhost", True),
        ("localhost:8765", True),
        ("LOCALHOST", True),
        ("127.0.0.1:8765", True),
        ("[::1]:8765", True),
        ("10.0.0.7", True),  # an address cannot be rebound
        ("fleet.example:80", True),
        ("evil.example", False),
        ("localhost.evil.example", False),
        ("127.0.0.1.evil.example", False),
        ("localhost@evil.example", False),
        ("", False),
        (None, False),
        ("[", False),
    ],
)
def test_a_server_answers_to_its_own_names_alone(host: str | None, is_own: bool) -> None:
    """A name of somebody else's may be rebound to this machine."""
    assert Guard.for_host("127.0.0.1", None, ["fleet.example"]).knows_host(host) is is_own


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.7", "fleet.example", ""])  # noqa: S104 - nothing is bound to it
def test_a_server_that_others_reach_needs_a_token(host: str) -> None:
    """One line says so, and what to do."""
    with pytest.raises(FleetError, match="give it a token, by --token-file"):
        Guard.for_host(host, None)
    assert Guard.for_host(host, TOKEN).token == TOKEN


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "127.1.2.3"])
def test_loopback_needs_none(host: str) -> None:
    """Nobody else reaches it."""
    assert is_loopback(host)
    assert Guard.for_host(host, None).is_open_to(request())


def test_a_guard_that_is_printed_shows_no_token() -> None:
    """Nor that of its forms."""
    guard = Guard.for_host("fleet.example", TOKEN)
    assert TOKEN not in repr(guard)
    assert guard.form_token not in repr(guard)


def test_a_short_token_is_refused() -> None:
    """It can be guessed; and it is not in the message."""
    with pytest.raises(FleetError, match="take 16 characters or more") as refused:
        Guard.for_host("127.0.0.1", "secret")
    assert "secret" not in str(refused.value)


def test_the_token_opens_in_a_header_or_by_the_cookie_of_a_log_in() -> None:
    """The cookie is not the token."""
    guard = Guard(TOKEN)
    assert guard.is_open_to(request(authorization=f"Bearer {TOKEN}"))
    assert guard.is_open_to(request(cookie=f"{COOKIE}={guard.session}"))
    assert TOKEN not in guard.session
    assert TOKEN not in repr(guard.session)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": "Bearer"},
        {"authorization": "Bearer wrong"},
        {"authorization": f"Basic {TOKEN}"},
        {"authorization": TOKEN},
        {"cookie": f"{COOKIE}={TOKEN}"},
        {"cookie": f"{COOKIE}={Guard(TOKEN).session}"},  # of another process
        {"cookie": f"{COOKIE}="},
    ],
)
def test_nothing_else_opens(headers: dict[str, str]) -> None:
    """Neither a wrong token, nor a session of another process."""
    assert not Guard(TOKEN).is_open_to(request(**headers))


@pytest.mark.parametrize(
    ("headers", "is_own"),
    [
        ({"origin": "http://localhost:1", "sec_fetch_site": "same-origin"}, True),
        ({"origin": "http://localhost:1"}, True),
        ({"sec_fetch_site": "same-origin"}, True),
        ({}, False),
        ({"origin": "null"}, False),
        ({"origin": "http://evil.example"}, False),
        ({"origin": "http://localhost:2"}, False),
        ({"sec_fetch_site": "cross-site"}, False),
        ({"sec_fetch_site": "same-site"}, False),
        ({"sec_fetch_site": "none"}, False),
        ({"origin": "http://localhost:1", "sec_fetch_site": "cross-site"}, False),
    ],
)
def test_a_form_is_taken_from_a_page_of_this_server_alone(
    headers: dict[str, str], is_own: bool
) -> None:
    """By its origin, and by the token of this process."""
    guard = Guard(None)
    asked = request(host="localhost:1", **headers)
    assert guard.is_own_form(asked, guard.form_token) is is_own
    assert not guard.is_own_form(asked, "")
    assert not guard.is_own_form(asked, Guard(None).form_token)
