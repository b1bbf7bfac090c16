"""Takes the pictures of the page that the docs show: `make screenshots`."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from conformare.fleet import Fleet, RowStore
from conformare.fleet.page import report
from support.fleet.served import served
from support.fleet.shop import NOW, small_fleet

FOLDER = Path(__file__).parents[3] / "docs" / "pictures"
LARGEST_BYTES = 200_000
WIDE, NARROW = (1280, 860), (390, 780)
PICTURES = {  # name → path, size of the window, colour scheme
    "overview": ("/", WIDE, "light"),
    "overview-dark": ("/", WIDE, "dark"),
    "overview-narrow": ("/", NARROW, "light"),
    "pipeline": ("/pipeline?name=customers.deduplicate&env=prod", (1280, 1400), "light"),
    "run": ("/run?id=customers-deduplicate-prod-0028", WIDE, "light"),
    "lineage": ("/lineage?pipeline=orders.clean&env=prod", WIDE, "light"),
    "drift": ("/drift", (1280, 480), "light"),
}


def take(browser: Browser, url: str, file: Path, size: tuple[int, int], scheme: str) -> None:
    """Take a picture of a page."""
    width, height = size
    with browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if scheme == "dark" else "light",
        reduced_motion="reduce",
    ) as context:
        page = context.new_page()
        page.goto(url)
        page.wait_for_load_state("load")
        for place in page.locator(".chart, .graph").all():
            place.locator("canvas").first.wait_for()
        page.screenshot(path=file)
    if file.stat().st_size > LARGEST_BYTES:
        sys.exit(f"error: {file} has more than {LARGEST_BYTES} bytes: make its window smaller")


def main() -> None:
    """Take all pictures."""
    chromium = shutil.which("chromium")
    if chromium is None:
        sys.exit("error: there is no Chromium: on Debian, apt-get install chromium")
    store = RowStore("s3://shop-lake/governance", small_fleet(), lambda _: None)
    fleet = Fleet(store, now=NOW)
    FOLDER.mkdir(exist_ok=True)
    with (
        sync_playwright() as playwright,
        playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"]) as browser,
        served(fleet) as url,
    ):
        for name, (path, size, scheme) in PICTURES.items():
            take(browser, f"{url}{path}", FOLDER / f"{name}.png", size, scheme)
        html = FOLDER / "report.html"
        html.write_text(report(fleet), encoding="utf-8")
        take(browser, html.as_uri(), FOLDER / "report.png", WIDE, "light")
        html.unlink()


if __name__ == "__main__":
    main()
