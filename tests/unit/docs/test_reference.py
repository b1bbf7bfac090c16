"""The pages that are made from the code are what the code says now."""

from __future__ import annotations

import pytest
from support.reference.pages import FOLDER, PAGES


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_as_it_would_be_made_now(name: str) -> None:
    """`make reference` writes them anew."""
    assert (FOLDER / name).read_text(encoding="utf-8") == PAGES[name]()
