"""Addresses of persons in any text: plain, percent-encoded and international ones."""

from __future__ import annotations

import re

from conformare.capture.locations._hidden import HIDDEN

# Percent-encoded once or several times, full width, small.
_AT = r"(?:[@＠﹫]|%(?:25)*40)"  # noqa: RUF001 - they are meant
_DOT = r"(?:[.。．｡]|%(?:25)*2[Ee])"  # noqa: RUF001 - they are meant
# What separates the parts of a location ends a name; everything else may be part of one.
_CHARACTER = r"[^\s/\\@＠﹫,;:<>()\[\]\"=&?#|.。．｡]"  # noqa: RUF001 - they are meant
# Bounded, for otherwise a long text would be looked at again and again.
_LOCAL = rf"(?:\"[^\"]*\"|(?:{_CHARACTER}|\.){{0,400}}{_CHARACTER}\.{{0,9}})"
_LABEL = r"(?:[^\W_]|[-_]|%[0-9A-Fa-f]{2}){1,200}?"
_NAMED = rf"(?:{_LABEL}{_DOT})+[^\W\d_](?:[\w-]|%[0-9A-Fa-f]{{2}})+"
_NUMBERED = r"\[[0-9A-Fa-f:.]+\]|\[?\d{1,3}(?:\.\d{1,3}){3}\]?"
# Behind "://" stands a container or a user, of which locations have been cleared already.
_START = rf"(?<!{_CHARACTER})(?<!://)"
_ADDRESS = re.compile(rf"{_START}{_LOCAL}{_AT}(?:{_NAMED}|{_NUMBERED})")
_SIGNS = ("@", "＠", "﹫", "40")  # noqa: RUF001 - they are meant


def without_addresses(text: str) -> str:
    """Return a text with every e-mail address in it hidden.

    Names of columns, files and tables may hold values of rows: a pivot makes columns of them, a
    loop over customers makes folders of them.

    Args:
        text: A location, a label or the name of a column.
    """
    if not any(sign in text for sign in _SIGNS):
        return text
    return _ADDRESS.sub(HIDDEN, text)
