"""Pages show recipes as they are."""

from __future__ import annotations

import re

import pytest
from support.recipes.recipe import RECIPES, ROOT

BLOCK = re.compile(r'^```\w+ title="([^"]+)"\n(.*?)\n```$', re.DOTALL | re.MULTILINE)
SHOWN = [
    (page.name, *block)
    for page in sorted((ROOT / "docs/howto").glob("*.md"))
    for block in BLOCK.findall(page.read_text(encoding="utf-8"))
]


@pytest.mark.parametrize(("page", "file", "text"), SHOWN, ids=[f"{p}-{f}" for p, f, _ in SHOWN])
def test_a_page_shows_the_file(page: str, file: str, text: str) -> None:
    """The tests run the file, so they run what the page shows."""
    assert (ROOT / file).read_text(encoding="utf-8").rstrip() == text, page


def test_every_recipe_is_shown() -> None:
    """But for the line that names the plugin of pytest."""
    files = {str(file.relative_to(ROOT)) for file in RECIPES.rglob("*.py")}
    assert files - {file for _, file, _ in SHOWN} == {"examples/recipes/tested/conftest.py"}
