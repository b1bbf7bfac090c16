"""Every page in a browser: no error, both colour schemes, every width."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, expect

from .conftest import Watched, serious_findings

PATHS = [
    "/",
    "/findings",
    "/pipeline?name=marketing.audience&env=prod",
    "/run?id=customers-deduplicate-prod-0028",
    "/owner?name=growth",
    "/owners",
    "/drift?all=1",
    "/expectations",
    "/risks",
    "/sensitive",
    "/lineage?pipeline=orders.clean&env=prod",
    "/impact?pipeline=orders.clean",
    "/none",
]


@pytest.mark.parametrize("path", PATHS)
def test_a_page_is_accessible_in_both_colour_schemes_and_on_a_telephone(
    page: Page, shop: str, watched: Watched, path: str
) -> None:
    """Nothing serious is found, nothing is refused, and nothing is wider than the window."""
    page.emulate_media(color_scheme="light")
    page.goto(f"{shop}{path}")
    page.wait_for_selector("#state.live")
    assert page.locator("h1").count() == 1
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert serious_findings(page) == []
    page.emulate_media(color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != paper
    assert serious_findings(page, "color-contrast") == []
    for width in (360, 3840):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert [fault for fault in watched.faults if "404" not in fault] == []
    assert all(url.startswith(shop) for url in watched.requests)


def test_the_overview_says_first_what_needs_a_person(page: Page, shop: str) -> None:
    """Before any pipeline; each has its owner beside it."""
    page.goto(shop)
    assert page.locator("h2").all_inner_texts() == [
        "What needs attention 6",
        "Pipelines by environment 14",
    ]
    first = page.locator("tbody tr").first
    assert first.inner_text().startswith("failed\tcustomers.deduplicate")
    assert "customer-data" in first.inner_text()


def test_a_series_and_a_lineage_are_drawn(page: Page, shop: str) -> None:
    """By the scripts that are served with the page."""
    page.goto(f"{shop}/pipeline?name=marketing.audience")
    page.wait_for_selector(".chart canvas")
    page.goto(f"{shop}/lineage?pipeline=ml.churn_scores")
    page.wait_for_selector(".graph canvas")
    rows = page.locator("main table tbody tr")
    before = rows.count()
    box = page.locator(".graph").bounding_box()
    assert box is not None
    page.locator(".graph").click(position={"x": 90, "y": box["height"] / 2})
    page.wait_for_url("**also=**")
    expect(rows).not_to_have_count(before)
    page.go_back()
    expect(rows).to_have_count(before)


def test_all_is_there_without_a_script(browser: Browser, shop: str) -> None:
    """Filters are a form, pages are links."""
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(shop)
        page.get_by_label("Owner").fill("growth")
        page.get_by_role("button", name="Show").click()
        assert "owner=growth" in page.url
        assert page.locator("[data-filter] tbody tr").count() == 1
        page.get_by_role("link", name="marketing.audience").first.click()
        assert page.locator("h1").inner_text() == "degraded marketing.audience"
