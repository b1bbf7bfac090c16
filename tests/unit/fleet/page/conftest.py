"""What the tests of the page share: the shop's fleet, and one whose every text is hostile."""

from __future__ import annotations

import pytest
from support.fleet.hostile import hostile_fleet
from support.fleet.shop import NOW, small_fleet

from conformare.fleet import Fleet, RowStore
from conformare.fleet.page._links import ServedLinks
from conformare.fleet.page._query import Asked
from conformare.fleet.page.views import Ask


@pytest.fixture(scope="session")
def shop() -> Fleet:
    """The fleet of a shop."""
    return Fleet(RowStore("s3://shop-lake/governance", small_fleet()), now=NOW)


@pytest.fixture
def hostile() -> Fleet:
    """A fleet that wants to be markup."""
    return Fleet(RowStore("a <b>store</b>", hostile_fleet()), now=NOW)


def ask(fleet: Fleet, page: str = "", /, **values: str) -> Ask:
    """Return what a page is made for."""
    return Ask(fleet, Asked.of(values.items(), fleet.now), ServedLinks(), page)
