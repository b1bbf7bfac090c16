"""What a page changes, and who may: acknowledgements, and the token."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page, expect
from support.fleet.served import served
from support.fleet.shop import NOW, small_fleet

from conformare.fleet import Fleet, RowStore

from .conftest import Watched

TOKEN = "a token that is long"  # noqa: S105 - of a test


def test_a_drift_is_acknowledged_on_the_page_and_other_windows_see_it(
    page: Page, watched: Watched
) -> None:
    """By a name and a note; the list has it no more."""
    kept: list[dict[str, Any]] = []
    fleet = Fleet(RowStore("the shop's lake", small_fleet(), kept.append), now=NOW)
    with served(fleet) as url:
        other = page.context.new_page()
        other.goto(f"{url}/drift")
        other.wait_for_selector("#state.live")
        page.goto(f"{url}/drift")
        page.get_by_text("Acknowledge", exact=True).first.click()
        page.get_by_label("Your name").first.fill("Ada <b>")
        page.get_by_label("What you found").first.fill("only renamed")
        page.get_by_role("button", name="Acknowledge the drift").first.click()
        expect(page.get_by_text("Acknowledged.")).to_be_visible()
        expect(page.locator("main tbody tr")).to_have_count(1)
        expect(other.locator("main tbody tr")).to_have_count(1)
        other.close()
    assert [(row["acknowledged_by"], row["note"]) for row in kept] == [("Ada <b>", "only renamed")]
    assert watched.faults == []


def test_what_somebody_writes_stays_with_its_drift_when_others_go(page: Page) -> None:
    """A form that is open stays open, and never becomes that of another drift."""
    kept: list[dict[str, Any]] = []
    fleet = Fleet(RowStore("the shop's lake", small_fleet(), kept.append), now=NOW)
    with served(fleet) as url:
        page.goto(f"{url}/drift")
        first, second = page.locator("details.ack").all()
        second.get_by_text("Acknowledge", exact=True).click()
        second.get_by_label("Your name").fill("Ada")
        ours = second.locator("input[name=run_id]").input_value()
        other = page.context.new_page()
        other.goto(f"{url}/drift")
        other.get_by_text("Acknowledge", exact=True).first.click()
        other.get_by_label("Your name").first.fill("Grace")
        other.get_by_role("button", name="Acknowledge the drift").first.click()
        other.get_by_text("Acknowledged.").wait_for()
        other.close()
        expect(page.locator("details.ack")).to_have_count(1)
        form = page.locator("details.ack[open]")
        expect(form.get_by_label("Your name")).to_have_value("Ada")
        assert form.locator("input[name=run_id]").input_value() == ours
        # And the one whose drift is gone is gone, whatever was written into it.
        assert first.locator("input[name=run_id]").input_value() == ours


def test_a_token_is_asked_for_once_and_leads_to_the_view(page: Page) -> None:
    """A wrong one is told."""
    fleet = Fleet(RowStore("the shop's lake", small_fleet()), now=NOW)
    with served(fleet, TOKEN) as url:
        page.goto(f"{url}/drift?env=prod")
        page.get_by_label("Token").fill("wrong")
        page.get_by_role("button", name="Open").click()
        expect(page.get_by_role("alert")).to_have_text("This is not the token.")
        page.get_by_label("Token").fill(TOKEN)
        page.get_by_role("button", name="Open").click()
        assert page.url == f"{url}/drift?env=prod"
        page.goto(url)
        expect(page.locator("h1")).to_have_text("Overview")
