"""A report from a disk, with scripts and without."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, expect
from support.fleet.shop import KINDS, NOW, small_fleet

from conformare.fleet import Fleet, RowStore
from conformare.fleet.page import report

from .conftest import Watched, serious_findings


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of the shop's fleet."""
    file = tmp_path_factory.mktemp("report") / "fleet.html"
    html = report(Fleet(RowStore("s3://shop-lake/governance", small_fleet()), now=NOW))
    file.write_text(html, encoding="utf-8")
    return file


def test_a_report_asks_for_nothing_and_can_be_filtered(
    page: Page, watched: Watched, file: Path
) -> None:
    """Its only request is for itself."""
    page.goto(file.as_uri())
    rows = page.locator("[data-filter] tbody tr:not(.hidden)")
    expect(rows).to_have_count(14)
    page.get_by_label("Filter by text").fill("stale")
    expect(rows).to_have_count(1)
    expect(page.get_by_text("1 of 14")).to_be_visible()
    assert watched.faults == []
    assert watched.requests == [file.as_uri()]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_report_is_accessible(
    page: Page, tmp_path: Path, scheme: Literal["light", "dark"]
) -> None:
    """Nothing serious is found, and a telephone need not be scrolled sideways."""
    file = tmp_path / "fleet.html"
    tables = small_fleet(KINDS[2:5])
    file.write_text(report(Fleet(RowStore("a lake", tables), now=NOW)), encoding="utf-8")
    page.emulate_media(color_scheme=scheme)
    page.goto(file.as_uri())
    assert serious_findings(page) == []
    page.set_viewport_size({"width": 360, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_the_essentials_are_there_without_a_script(browser: Browser, file: Path) -> None:
    """What needs attention, every pipeline, and links between the parts."""
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(file.as_uri())
        assert page.locator("#overview tbody tr").count() == 6 + 14
        page.get_by_role("link", name="customers.deduplicate").first.click()
        assert page.url.endswith("#p-1")
        expect(page.locator("#p-1 h2")).to_be_in_viewport()
