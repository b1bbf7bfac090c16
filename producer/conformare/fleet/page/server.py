"""The server: the same views as pages that are live."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from contextlib import ExitStack

import uvicorn
from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import (
    PlainTextResponse,
    RedirectResponse,
    Response,
)
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from conformare._errors import FleetError
from conformare.fleet._defaults import DEFAULT_PORT
from conformare.fleet._fleet import Fleet
from conformare.fleet.page._answers import PAGES, Pages
from conformare.fleet.page._guard import HEADERS, Guard
from conformare.fleet.page._links import url
from conformare.fleet.page._live import LiveFleet

POLL_SECONDS = 1.0
"""An object store is paid by the request."""
GRACE_SECONDS = 2
"""What is asked when the server ends is answered within these."""


def serve(
    fleet: Fleet,
    *,
    host: str = "127.0.0.1",
    port: int = DEFAULT_PORT,
    token: str | None = None,
    hosts: Sequence[str] = (),
    told: Callable[[str], None] = lambda _: None,
) -> None:
    """Serve the pages of a fleet until the process is told to end.

    Args:
        fleet: The fleet.
        host: Where to listen.
        port: Where to listen; 0 for any that is free.
        token: What opens the pages; needed where others can reach the host.
        hosts: Names that the server is reached by, beside `host`.
        told: Is given the URL once the server listens.

    Raises:
        FleetError: The port is in use or not permitted, or there is no token where one is needed.
    """
    guard = Guard.for_host(host, token, hosts)
    listening = listening_socket(host, port)
    shown = f"[{host}]" if ":" in host else host
    told(f"http://{shown}:{listening.getsockname()[1]}/")
    try:
        server_of(fleet, guard).run(sockets=[listening])
    finally:
        listening.close()


def server_of(fleet: Fleet, guard: Guard, poll_seconds: float = POLL_SECONDS) -> uvicorn.Server:
    """Return a server that has not begun yet.

    Args:
        fleet: The fleet.
        guard: Who may ask.
        poll_seconds: How often to look for what has come.
    """
    live = LiveFleet(fleet, poll_seconds)
    config = uvicorn.Config(
        application(live, guard),
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    return _Server(config, live)


def application(live: LiveFleet, guard: Guard) -> ASGIApp:
    """Return the pages as an ASGI application.

    Args:
        live: The fleet.
        guard: Who may ask.
    """
    pages = Pages(live, guard)
    app = Starlette(
        routes=[
            *(Route(f"/{name}", pages.page, name=name or "overview") for name in PAGES),
            Route("/events", pages.events),
            Route("/acknowledge", pages.acknowledge, methods=["POST"]),
            Route("/login", pages.login, methods=["GET", "POST"]),
            Route("/static/{digest}/{name:path}", pages.static),
        ],
        lifespan=pages.lifespan,
        exception_handlers={404: pages.not_found},
    )
    app.router.redirect_slashes = False
    return _Guarded(app, guard)


class _Server(uvicorn.Server):
    """Ends the streams of events before it waits for what is still asked."""

    def __init__(self, config: uvicorn.Config, live: LiveFleet) -> None:
        super().__init__(config)
        self._live = live

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop."""
        self._live.stop()
        await super().shutdown(sockets)


class _Guarded:
    """Lets in who may ask, and puts the headers on every answer."""

    def __init__(self, app: ASGIApp, guard: Guard) -> None:
        self._app = app
        self._guard = guard

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS:
                    headers.setdefault(name, value)
            await send(message)

        refusal = self._refusal(Request(scope, receive))
        await (refusal or self._app)(scope, receive, send_with_headers)

    def _refusal(self, request: Request) -> Response | None:
        host = request.headers.get("host")
        if not self._guard.knows_host(host):
            text = f"This server does not answer to {host!r}: start it with --allow-host.\n"
            return PlainTextResponse(text, 421)
        path = request.url.path
        if path == "/login" or path.startswith("/static/") or self._guard.is_open_to(request):
            return None
        if request.method == "GET" and "text/html" in request.headers.get("accept", ""):
            wanted = f"{path}?{request.url.query}" if request.url.query else path
            return RedirectResponse(url("/login", [("next", wanted)]), 303)
        return PlainTextResponse(
            "A token is needed: send it as `Authorization: Bearer`.\n",
            401,
            headers={"www-authenticate": "Bearer"},
        )


def listening_socket(host: str, port: int) -> socket.socket:
    """Return a socket that listens.

    Args:
        host: Where.
        port: Where; 0 for any that is free.

    Raises:
        FleetError: The port is in use, or not permitted.
    """
    with ExitStack() as undone:
        try:
            family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
            listening = undone.enter_context(socket.socket(family, socket.SOCK_STREAM))
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(address)
            listening.listen()
        except (OSError, OverflowError) as exc:
            why = exc.strerror if isinstance(exc, OSError) else "there is no such port"
            raise FleetError(
                f"nothing can listen on {host}:{port} ({why}): name another one by --port"
            ) from exc
        undone.pop_all()
    return listening
