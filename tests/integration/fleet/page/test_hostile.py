"""Texts of a run that want to be markup, in every place of every page."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from playwright.sync_api import Page
from support.fleet.hostile import SURROGATE, TEXTS, hostile_fleet
from support.fleet.shop import NOW

from conformare.fleet import Fleet, RowStore
from conformare.fleet.page import report
from conformare.fleet.page._render import shown

from .conftest import Watched

LISTS = ("", "findings", "drift", "expectations", "risks", "owners", "sensitive", "lineage")
RUNS = hostile_fleet()["runs"]


def url(text: str) -> str:
    """Return a text as a URL has it."""
    return quote(text, errors="replace", safe="")


@pytest.mark.parametrize("path", LISTS)
def test_a_list_shows_them_all_and_none_does_harm(
    page: Page, hostile: str, watched: Watched, path: str
) -> None:
    """No dialog, nothing refused, nothing asked for elsewhere."""
    page.goto(f"{hostile}/{path}")
    seen = page.locator("main").text_content() or ""
    assert all(shown(text) in seen for text in TEXTS)
    assert page.locator("main img, main a[href^=javascript]").count() == 0
    assert watched.faults == []
    assert all(asked.startswith(hostile) for asked in watched.requests)


@pytest.mark.parametrize("text", [text for text in TEXTS if text != SURROGATE])
def test_the_pages_of_each_are_found_and_do_no_harm(
    page: Page, hostile: str, watched: Watched, text: str
) -> None:
    """By links whose query has the text as it is."""
    run = next(run for run in RUNS if run["pipeline"] == f"p{text}" and "0003" in run["run_id"])
    for path in (
        f"pipeline?name={url(run['pipeline'])}&env={url(text)}",
        f"run?id={url(run['run_id'])}&pipeline={url(run['pipeline'])}",
        f"owner?name={url(text)}",
        f"lineage?pipeline={url(run['pipeline'])}",
        f"?owner={url(text)}&env={url(text)}&tag={url(text)}={url(text)}",
    ):
        page.goto(f"{hostile}/{path}")
        assert page.locator("main > h1").inner_text() != "No answer", path
        assert shown(text) in (page.locator("main").text_content() or "")
    assert watched.faults == []
    assert all(asked.startswith(hostile) for asked in watched.requests)


def test_a_report_of_them_does_no_harm(
    page: Page, watched: Watched, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """It asks for nothing but itself."""
    file = tmp_path_factory.mktemp("report") / "fleet.html"
    html = report(Fleet(RowStore("<b>store</b>", hostile_fleet()), now=NOW), title=TEXTS[1])
    file.write_text(html, encoding="utf-8")
    page.goto(file.as_uri())
    seen = page.locator("main").text_content() or ""
    assert all(shown(text) in seen for text in TEXTS)
    assert page.locator("main img, main a[href^=javascript]").count() == 0
    assert watched.faults == []
    assert watched.requests == [file.as_uri()]
