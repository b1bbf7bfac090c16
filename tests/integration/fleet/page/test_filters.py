"""Filters, the URL, the back button, and the keyboard."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from .conftest import Watched


def test_each_filter_is_in_the_url_and_the_back_button_undoes_it(
    page: Page, shop: str, watched: Watched
) -> None:
    """Without a reload; what has the focus keeps it."""
    page.goto(shop)
    page.evaluate("window.isTheSame = true")
    rows = page.locator("[data-filter] tbody tr")
    expect(rows).to_have_count(14)
    page.get_by_role("combobox", name="Environment").select_option("staging")
    expect(rows).to_have_count(2)
    page.get_by_label("Text").press_sequentially("clean")
    expect(rows).to_have_count(1)
    assert page.url == f"{shop}/?q=clean&env=staging"
    assert page.evaluate("document.activeElement.name") == "q"
    page.go_back()
    expect(rows).to_have_count(2)
    assert page.get_by_label("Text").input_value() == ""
    page.go_back()
    expect(rows).to_have_count(14)
    assert page.get_by_role("combobox", name="Environment").input_value() == ""
    page.go_forward()
    expect(rows).to_have_count(2)
    assert page.evaluate("window.isTheSame")
    assert watched.faults == []


def test_a_url_is_the_view(page: Page, shop: str) -> None:
    """Whoever is given it sees the same, with the filters filled in."""
    page.goto(f"{shop}/?status=degraded&tag=gdpr%3Dyes&owner=growth")
    expect(page.locator("[data-filter] tbody tr")).to_have_count(1)
    assert page.get_by_role("combobox", name="Health").input_value() == "degraded"
    assert page.get_by_role("combobox", name="Tag").input_value() == "gdpr=yes"
    page.get_by_role("link", name="1 degraded").click()
    page.wait_for_url(f"{shop}/?owner=growth&tag=gdpr%3Dyes")


def test_a_strip_is_one_stop_of_the_tab_key_and_arrows_go_from_run_to_run(
    page: Page, shop: str
) -> None:
    """Enter opens the run."""
    page.goto(f"{shop}/?q=customers.deduplicate")
    strip = page.locator("[data-filter] .strip").first
    assert strip.locator("a[tabindex='-1']").count() == 29
    strip.locator("a").last.focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    focused = page.evaluate("document.activeElement.textContent")
    assert focused.startswith("degraded, 2026-11-27 04:3")
    page.keyboard.press("Enter")
    page.wait_for_url("**/run?id=customers-deduplicate-prod-0027**")
    assert page.locator("h1").inner_text() == "degraded customers.deduplicate"


def test_the_first_stop_of_the_tab_key_skips_to_the_content(page: Page, shop: str) -> None:
    """And it is seen once it has the focus."""
    page.goto(shop)
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to the content")
    expect(skip).to_be_focused()
    box = skip.bounding_box()
    assert box is not None
    assert box["x"] >= 0
    page.keyboard.press("Enter")
    assert page.url.endswith("#main")
