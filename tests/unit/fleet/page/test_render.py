"""How text from a run is shown: as it is, and never as markup."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.fleet.hostile import TEXTS

from conformare.fleet.page._cells import web_address
from conformare.fleet.page._model import Cell, Column, Page, Table
from conformare.fleet.page._render import BADGES, shown, templates

L, R = (
    "\N{SINGLE LEFT-POINTING ANGLE QUOTATION MARK}",
    "\N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK}",
)


class Seen(HTMLParser):
    """What a browser would make of it."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag."""
        self.tags.append(tag)
        assert not any(name.startswith("on") or name == "style" for name, _ in attrs)

    def handle_data(self, data: str) -> None:
        """Note a text."""
        self.texts.append(data)


def article(text: str) -> Seen:
    """Return what a page is that has a text wherever one may stand."""
    cell = Cell(text, note=text, parts=(Cell(text, href=None), Cell(text, code=True)))
    table = Table(text, text, (Column(text),), [(cell,)], note=text, empty=text)
    page = Page("a", text, text, (table,), badge=text, anchor="a")
    seen = Seen()
    template = templates().get_template("article.html")
    seen.feed(template.render(page=page, served=False, level=2, badges=BADGES))
    return seen


@given(st.text() | st.sampled_from(TEXTS))
def test_no_text_adds_a_tag(text: str) -> None:
    """A page of any text has the tags of one of a harmless text."""
    quiet = article("quiet" if text else "")
    assert article(text).tags == quiet.tags


@pytest.mark.parametrize("text", TEXTS)
def test_a_text_is_shown_as_it_is(text: str) -> None:
    """What cannot be seen has a picture or a name."""
    assert shown(text) in article(text).texts


@pytest.mark.parametrize(
    ("text", "drawn"),
    [
        ("a\x00b\x1b[31m", "a␀b␛[31m"),
        ("a\nb\tc", "a␊b␉c"),
        ("x\u202ey", f"x{L}U+202E{R}y"),
        ("x\u200by\ufeff", f"x{L}U+200B{R}y{L}U+FEFF{R}"),
        ("\x7f\x9b", f"␡{L}U+009B{R}"),
        ("\ud800", "\N{REPLACEMENT CHARACTER}"),
        ("مرحبا, Grüße, 数据 🎉", "مرحبا, Grüße, 数据 🎉"),
    ],
)
def test_what_is_unseen_is_drawn(text: str, drawn: str) -> None:
    """So two names that differ look different, and words of all languages stay."""
    assert shown(text) == drawn


@pytest.mark.parametrize(
    ("text", "is_link"),
    [
        ("https://reports.example/run.html?x=1", True),
        ("HTTP://reports.example", True),
        ("javascript:alert(1)", False),
        ("java\nscript:alert(1)", False),
        (" javascript:alert(1)", False),
        ("data:text/html,<script>", False),
        ("//evil.example/", False),
        ("https:evil", False),
        ("https://", False),
        ("https://[", False),
        ("file:///etc/passwd", False),
        ("s3://bucket/report.html", False),
        ("https://a.example/\u202e", False),
        ("", False),
        (None, False),
    ],
)
def test_only_an_address_of_the_web_is_a_link(text: str | None, is_link: bool) -> None:
    """Whatever else a report's URI is, it is text."""
    assert web_address(text) == (text if is_link else None)
