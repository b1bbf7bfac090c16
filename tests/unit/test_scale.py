"""What docs/scale.md says is what its script computes."""

from __future__ import annotations

from pathlib import Path

from bench.scale import constants, needs

PAGE = Path(__file__).parents[2] / "docs" / "scale.md"


def test_the_tables_of_the_page_are_those_of_the_script() -> None:
    """`python -m bench.scale` prints them."""
    page = PAGE.read_text(encoding="utf-8")
    assert needs() in page
    assert constants() in page
