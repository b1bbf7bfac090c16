"""The server: the same views as pages that are live."""

from __future__ import annotations

import asyncio
import hashlib
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import ExitStack, asynccontextmanager
from datetime import datetime
from importlib.resources import files
from typing import Any
from urllib.parse import parse_qsl

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import (
    HTMLResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
    StreamingResponse,
)
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from conformare._errors import FleetError
from conformare.fleet._fleet import Fleet
from conformare.fleet.page._csv import to_csv
from conformare.fleet.page._guard import COOKIE, HEADERS, Guard
from conformare.fleet.page._links import ServedLinks, url
from conformare.fleet.page._live import LiveFleet
from conformare.fleet.page._model import Page
from conformare.fleet.page._query import Asked
from conformare.fleet.page._render import BADGES, templates
from conformare.fleet.page.views import (
    Ask,
    drift_page,
    expectations_page,
    findings_page,
    impact_page,
    lineage_page,
    overview_page,
    owner_page,
    owners_page,
    pipeline_page,
    risks_page,
    run_page,
    sensitive_page,
)
from conformare.fleet.questions import acknowledged_row

DEFAULT_PORT = 8765
POLL_SECONDS = 0.5
HEARTBEAT_SECONDS = 15.0
"""A stream in which nothing happens says so, so that nobody on the way closes it."""
LARGEST_FORM_BYTES = 64_000
PAGES_KEPT = 64
"""So many pages of one state of the fleet are kept as they were made."""

_PAGES: dict[str, Callable[[Ask], Page]] = {
    "": overview_page,
    "findings": findings_page,
    "pipeline": pipeline_page,
    "run": run_page,
    "owner": owner_page,
    "owners": owners_page,
    "drift": drift_page,
    "expectations": expectations_page,
    "risks": risks_page,
    "sensitive": sensitive_page,
    "lineage": lineage_page,
    "impact": impact_page,
}
_NAVIGATION = (
    ("/", "overview", "Overview"),
    ("/drift", "drift", "Drift"),
    ("/expectations", "expectations", "Expectations"),
    ("/risks", "risks", "Open risks"),
    ("/owners", "owners", "Owners"),
    ("/sensitive", "sensitive", "Sensitive columns"),
    ("/lineage", "lineage", "Lineage"),
    ("/impact", "impact", "Impact"),
)
_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_STATIC = (
    "page.css",
    "page.js",
    "icon.svg",
    *(
        f"vendored/{name}"
        for name in (
            "htmx.min.js",
            "uPlot.iife.min.js",
            "uPlot.min.css",
            "cytoscape.min.js",
            "cytoscape-dagre.min.js",
        )
    ),
)


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
    listening = _listening(host, port)
    shown = f"[{host}]" if ":" in host else host
    told(f"http://{shown}:{listening.getsockname()[1]}/")
    config = uvicorn.Config(
        application(fleet, guard),
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=2,
    )
    try:
        uvicorn.Server(config).run(sockets=[listening])
    finally:
        listening.close()


def application(fleet: Fleet, guard: Guard, poll_seconds: float = POLL_SECONDS) -> ASGIApp:
    """Return the server as an ASGI application.

    Args:
        fleet: The fleet.
        guard: Who may ask.
        poll_seconds: How often to look for what has come.
    """
    pages = _Pages(LiveFleet(fleet, poll_seconds), guard)
    app = Starlette(
        routes=[
            *(Route(f"/{name}", pages.page, name=name or "overview") for name in _PAGES),
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


class _Pages:
    """What the server answers."""

    def __init__(self, live: LiveFleet, guard: Guard) -> None:
        self._live = live
        self._guard = guard
        self._static = {name: _file(name) for name in _STATIC}
        self._state: tuple[int, str | None, datetime] | None = None
        self._made: dict[tuple[str, str], Response] = {}

    @asynccontextmanager
    async def lifespan(self, _: Starlette) -> AsyncIterator[None]:
        """Open the fleet before the first page is asked for, and keep it up to date."""
        await run_in_threadpool(self._warm)
        self._live.start()
        yield
        self._live.stop()

    def page(self, request: Request) -> Response:
        """Answer any of the pages, or one of its tables as CSV."""
        name = request.url.path.strip("/")
        with self._live.asked() as fleet:
            return self._rendered(fleet, name, request.url.query)

    async def events(self, _: Request) -> Response:
        """Say each time that something has come."""
        return StreamingResponse(
            self._stream(), media_type="text/event-stream", headers={"x-accel-buffering": "no"}
        )

    async def acknowledge(self, request: Request) -> Response:
        """Acknowledge a drift, as a form of one of the pages asks."""
        form = await _form(request)
        if not self._guard.is_own_form(request, form.get("form_token", "")):
            return PlainTextResponse("This form is not of this page: load it anew.\n", 403)
        return await run_in_threadpool(self._acknowledge, form)

    async def login(self, request: Request) -> Response:
        """Ask for the token, or take it."""
        if request.method == "GET":
            return self._login_form(request.query_params.get("next", "/"), 200)
        form = await _form(request)
        wanted = form.get("next", "/")
        if not self._guard.is_token(form.get("token", "")):
            return self._login_form(wanted, 403, "This is not the token.")
        # A path of ours: not //elsewhere, nor /\elsewhere, which browsers take for the same.
        is_ours = wanted.startswith("/") and wanted[1:2] not in ("/", "\\") and wanted.isprintable()
        answer = RedirectResponse(wanted if is_ours else "/", 303)
        is_secure = request.url.scheme == "https"
        answer.set_cookie(
            COOKIE, self._guard.session, httponly=True, samesite="strict", secure=is_secure
        )
        return answer

    async def static(self, request: Request) -> Response:
        """Answer one of our files; its URL changes with it."""
        found = self._static.get(request.path_params["name"])
        if found is None or found[0] != request.path_params["digest"]:
            return PlainTextResponse("There is no such file.\n", 404)
        _, content, media_type = found
        headers = {"cache-control": "max-age=31536000, immutable"}
        return Response(content, media_type=media_type, headers=headers)

    def not_found(self, request: Request, _: Exception) -> Response:
        """Answer what is not there."""
        with self._live.asked() as fleet:
            page = _wrong(f"there is no page {request.url.path!r}")
            return self._html(fleet, page, status=404)

    def _warm(self) -> None:
        with self._live.asked() as fleet:
            self._rendered(fleet, "", "")

    def _rendered(self, fleet: Fleet, name: str, query: str) -> Response:
        """Return a page; one that was made a moment ago of the same runs is the same."""
        state = self._live.generation, self._live.fault, fleet.now.replace(second=0, microsecond=0)
        if state != self._state:
            self._state = state
            self._made.clear()
        response = self._made.get((name, query))
        if response is None:
            response = self._answered(fleet, name, query)
            if len(self._made) < PAGES_KEPT:
                self._made[(name, query)] = response
        return response

    def _answered(self, fleet: Fleet, name: str, query: str) -> Response:
        said = parse_qsl(query, keep_blank_values=True, errors="replace")
        asked = Asked.of(said, fleet.now)
        try:
            page = _PAGES[name](Ask(fleet, asked, ServedLinks(), name))
        except FleetError as exc:
            return self._html(fleet, _wrong(str(exc)), status=404)
        if asked.get("format") == "csv":
            return _csv(page, asked.get("table"))
        return self._html(fleet, page, said=asked.get("acknowledged") and "Acknowledged.")

    def _acknowledge(self, form: dict[str, str]) -> Response:
        with self._live.asked() as fleet:
            try:
                row = acknowledged_row(
                    fleet,
                    form.get("run_id", ""),
                    form.get("context_label", ""),
                    by=form.get("by", ""),
                    note=form.get("note", ""),
                    pipeline=form.get("pipeline"),
                )
                fleet.acknowledge(row)
            except FleetError as exc:
                return self._html(fleet, _wrong(str(exc)), status=400)
        self._live.changed()
        return RedirectResponse("/drift?acknowledged=1", 303)

    async def _stream(self) -> AsyncIterator[str]:
        changes = self._live.changes()
        waiting = asyncio.ensure_future(anext(changes))
        seen = None
        try:
            yield "retry: 2000\n\n"
            while True:
                done, _ = await asyncio.wait({waiting}, timeout=HEARTBEAT_SECONDS)
                if not done:
                    yield ": still here\n\n"
                    continue
                generation = waiting.result()
                # The first is the state that the page was made of, or a little newer.
                if seen != generation:
                    yield f"event: fleet\nid: {generation}\ndata: {generation}\n\n"
                seen = generation
                waiting = asyncio.ensure_future(anext(changes))
        except StopAsyncIteration:
            return
        finally:
            waiting.cancel()

    def _login_form(self, wanted: str, status: int, fault: str = "") -> Response:
        template = templates().get_template("login.html")
        html = template.render(next=wanted, fault=fault, static=self._static_url)
        return HTMLResponse(html, status)

    def _html(
        self, fleet: Fleet, page: Page, *, status: int = 200, said: str | None = None
    ) -> Response:
        html = (
            templates()
            .get_template("served.html")
            .render(
                served=True,
                level=2,
                badges=BADGES,
                page=page,
                place=fleet.store.place,
                now=fleet.now,
                navigation=_NAVIGATION,
                static=self._static_url,
                form_token=self._guard.form_token,
                fault=self._live.fault,
                said=said,
            )
        )
        return HTMLResponse(html, status)

    def _static_url(self, name: str) -> str:
        return f"/static/{self._static[name][0]}/{name}"


def _listening(host: str, port: int) -> socket.socket:
    """Return a socket that listens."""
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


def _file(name: str) -> tuple[str, bytes, str]:
    content = (files("conformare.fleet.page") / "static" / name).read_bytes()
    suffix = name[name.rindex(".") :]
    return hashlib.sha256(content).hexdigest()[:16], content, _TYPES[suffix]


async def _form(request: Request) -> dict[str, str]:
    """Return the fields of a form; of one that is too long, none."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_FORM_BYTES:
            return {}
    return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))


def _csv(page: Page, name: str | None) -> Response:
    tables = page.tables
    found = next((one for one in tables if name in (None, one.name)), None)
    if found is None:
        names = ", ".join(one.name for one in tables)
        return PlainTextResponse(f"There is no table {name!r} here: take one of {names}.\n", 404)
    return Response(
        to_csv(found),
        media_type="text/csv; charset=utf-8",
        headers={"content-disposition": f'attachment; filename="{found.name}.csv"'},
    )


def _wrong(text: str) -> Page:
    return Page("wrong", "Not found", text, ())
