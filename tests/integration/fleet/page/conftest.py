"""What the browser tests share: one Chromium a module, and servers in this process."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import uvicorn
from playwright.sync_api import Browser, Page, Request, sync_playwright
from support.fleets.hostile import hostile_fleet
from support.fleets.shop import NOW, small_fleet

from conformare.fleet import Fleet, RowStore
from conformare.fleet.page._guard import Guard
from conformare.fleet.page.server import _listening, application

AXE = (Path(__file__).parent / "vendored" / "axe.min.js").read_text(encoding="utf-8")

Serve = Callable[[Fleet, str | None], AbstractContextManager[str]]


@dataclass
class Watched:
    """What a browser did while it was watched.

    Attributes:
        faults: Errors and warnings of the console, refusals of the policy, and dialogs.
        requests: What it asked for.
    """

    faults: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def watch(self, page: Page) -> None:
        """Watch a page."""
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("dialog", lambda dialog: (self.faults.append(dialog.message), dialog.dismiss()))
        page.on("request", self._requested)
        page.on(
            "console",
            lambda said: self.faults.append(said.text) if said.type in _LOUD else None,
        )

    def _requested(self, request: Request) -> None:
        self.requests.append(request.url)


_LOUD = ("error", "warning")


@contextmanager
def served(fleet: Fleet, token: str | None = None) -> Iterator[str]:
    """Serve a fleet, and yield the URL."""
    listening = _listening("127.0.0.1", 0)
    config = uvicorn.Config(
        application(fleet, Guard(token), poll_seconds=0.2),
        log_level="error",
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        listening.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium."""
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.fail("there is no Chromium: on Debian, apt-get install chromium fonts-dejavu-core")
    with sync_playwright() as playwright:
        # It may be root that tests, and root has no sandbox.
        with playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"]) as found:
            yield found


@pytest.fixture(scope="module")
def shop() -> Iterator[str]:
    """The shop's fleet, served."""
    fleet = Fleet(RowStore("s3://shop-lake/governance", small_fleet(), lambda _: None), now=NOW)
    with served(fleet) as url:
        yield url


@pytest.fixture(scope="module")
def hostile() -> Iterator[str]:
    """A fleet whose every text is hostile, served."""
    with served(Fleet(RowStore("<b>store</b>", hostile_fleet()), now=NOW)) as url:
        yield url


@pytest.fixture
def watched() -> Watched:
    """What the browser did."""
    return Watched()


@pytest.fixture
def page(browser: Browser, watched: Watched) -> Iterator[Page]:
    """A window of its own, which is watched."""
    with browser.new_context(viewport={"width": 1280, "height": 900}) as context:
        page = context.new_page()
        watched.watch(page)
        yield page


def serious_findings(page: Page, *rules: str) -> list[str]:
    """Return what axe-core finds serious in a page, by all of its rules or by some."""
    page.evaluate(AXE)
    options = {"runOnly": rules} if rules else {}
    violations = page.evaluate("async (how) => (await axe.run(document, how)).violations", options)
    return [
        f"{one['id']}: {one['help']}: {one['nodes'][0]['html']}"
        for one in violations
        if one["impact"] in ("serious", "critical")
    ]
