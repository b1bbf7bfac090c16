"""Markdown of our pages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

NOTE = "<!-- Made from the code by `make reference`: change it there. -->"


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"|{'|'.join(map(_cell, line))}|" for line in lines)


def code(text: str) -> str:
    """Return a text as code; nothing where there is none."""
    return f"`{text}`" if text else ""


def joined(parts: Iterable[str]) -> str:
    """Return a page of its parts."""
    return "\n\n".join(parts) + "\n"


def _cell(text: str) -> str:
    escaped = text.replace("|", "\\|").replace("\n", " ")
    return f" {escaped} " if escaped else " "
