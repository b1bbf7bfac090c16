"""The documents at the root, and what `make docs` does not look at: pictures, and names of tests."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
AT_THE_ROOT = sorted(ROOT.glob("*.md"))
PAGES = sorted((ROOT / "docs").rglob("*.md"))
LINK = re.compile(r"\]\((?!https?://)([^)#]*)(?:#([^)]*))?\)")
LONGEST_README = 110


def headings(page: Path) -> set[str]:
    """The anchors of a page, as they are made of its headings."""
    text = re.sub(
        r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE
    )
    found = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[-\s]+", "-", re.sub(r"[^\w\s-]", "", one).strip().lower()) for one in found}


@pytest.mark.parametrize("document", AT_THE_ROOT, ids=lambda document: document.name)
def test_every_link_of_a_document_at_the_root_leads_somewhere(document: Path) -> None:
    """They are read before a site is built of the others."""
    for name, anchor in LINK.findall(document.read_text(encoding="utf-8")):
        target = ROOT / name if name else document
        assert target.exists(), name
        assert not anchor or anchor in headings(target), f"{name}#{anchor}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_picture_and_every_test_that_a_page_names_is_there(page: Path) -> None:
    """A test that was renamed no longer shows what the page says."""
    text = page.read_text(encoding="utf-8")
    pictures = [page.parent / name for name in re.findall(r"!\[[^]]*\]\((?!http)([^)]*)\)", text)]
    tests = [ROOT / name.rstrip("./") for name in re.findall(r"\btests/[\w/.]+", text)]
    assert [path for path in (*pictures, *tests) if not path.exists()] == []


def test_every_page_is_in_the_navigation() -> None:
    """Who does not know a page's name finds it."""
    site = (ROOT / "zensical.toml").read_text(encoding="utf-8")
    named = set(re.findall(r'"([\w/-]+\.md)"', site))
    assert named == {str(page.relative_to(ROOT / "docs")) for page in PAGES}


def test_the_readme_is_short() -> None:
    """It is the first thing that people see."""
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    assert len(lines) <= LONGEST_README
