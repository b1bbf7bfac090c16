"""What the browser tests share: one Chromium a module, and servers in this process."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Dialog, Page, sync_playwright
from support.fleet.hostile import hostile_fleet
from support.fleet.served import served
from support.fleet.shop import NOW, small_fleet

from conformare.fleet import Fleet, RowStore

AXE = (Path(__file__).parent / "vendored" / "axe.min.js").read_text(encoding="utf-8")


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
        page.on("dialog", self._opened)
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("console", self._said)

    def _opened(self, dialog: Dialog) -> None:
        self.faults.append(dialog.message)
        dialog.dismiss()

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in _LOUD:
            self.faults.append(message.text)


_LOUD = ("error", "warning")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium."""
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.fail("there is no Chromium: on Debian, apt-get install chromium fonts-dejavu-core")
    with (
        sync_playwright() as playwright,
        # It may be root that tests, and root has no sandbox.
        playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"]) as found,
    ):
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
