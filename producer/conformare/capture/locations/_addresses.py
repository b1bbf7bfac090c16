"""Addresses of persons in any text."""

from __future__ import annotations

import re

from conformare.capture.locations._hidden import HIDDEN

# Behind "://" stands a container or a user, of which locations have been cleared already.
_ADDRESS = re.compile(
    r"(?<![\w.+%-])(?<!://)[\w.+%-]*\w[\w.+%-]*@[\w-]+(?:\.[\w-]+)*\.[A-Za-z]{2,}"
)


def without_addresses(text: str) -> str:
    """Return a text with every e-mail address in it hidden.

    Names of columns, files and tables may hold values of rows: a pivot makes columns of them, a
    loop over customers makes folders of them.

    Args:
        text: A location, a label or the name of a column.
    """
    return _ADDRESS.sub(HIDDEN, text) if "@" in text else text
