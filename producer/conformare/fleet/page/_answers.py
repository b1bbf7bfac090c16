"""What a server answers: pages, tables as CSV, forms, files, and that something has come."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from datetime import datetime
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import (
    HTMLResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
    StreamingResponse,
)

from conformare._errors import FleetError
from conformare.fleet._fleet import Fleet
from conformare.fleet.page._csv import to_csv
from conformare.fleet.page._guard import COOKIE, Guard
from conformare.fleet.page._links import ServedLinks
from conformare.fleet.page._live import LiveFleet
from conformare.fleet.page._model import Page
from conformare.fleet.page._query import Asked
from conformare.fleet.page._render import BADGES, templates
from conformare.fleet.page._static import static_files, static_url
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

HEARTBEAT_SECONDS = 15.0
"""A stream in which nothing happens says so, so that nobody on the way closes it."""
LARGEST_FORM_BYTES = 64_000
PAGES_KEPT = 64
"""So many pages of one state of the fleet are kept as they were made."""

PAGES: dict[str, Callable[[Ask], Page]] = {
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


class Pages:
    """What the server answers.

    Args:
        live: The fleet.
        guard: Who may ask.
    """

    def __init__(self, live: LiveFleet, guard: Guard) -> None:
        self._live = live
        self._guard = guard
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
        found = static_files().get(request.path_params["name"])
        if found is None or found.digest != request.path_params["digest"]:
            return PlainTextResponse("There is no such file.\n", 404)
        headers = {"cache-control": "max-age=31536000, immutable"}
        return Response(found.content, media_type=found.media_type, headers=headers)

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
            page = PAGES[name](Ask(fleet, asked, ServedLinks(), name))
        except FleetError as exc:
            return self._html(fleet, _wrong(str(exc)), status=503 if self._live.fault else 404)
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
        async with aclosing(self._live.states(HEARTBEAT_SECONDS)) as states:
            async for state in states:
                yield f"event: fleet\ndata: {state}\n\n"

    def _login_form(self, wanted: str, status: int, fault: str = "") -> Response:
        template = templates().get_template("login.html")
        html = template.render(next=wanted, fault=fault, static=static_url)
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
                static=static_url,
                form_token=self._guard.form_token,
                fault=self._live.fault,
                generation=self._live.generation,
                said=said,
            )
        )
        return HTMLResponse(html, status)


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
    return Page("wrong", "No answer", text, ())
