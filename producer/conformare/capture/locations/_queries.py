"""Queries: of their text nothing is shown, and no literal of it gets into the digest either."""

from __future__ import annotations

import hashlib
import re

from conformare.capture.locations._addresses import without_addresses
from conformare.capture.locations._hidden import HIDDEN
from conformare.capture.locations._unreadable import DIGITS, is_digest

KIND = "query"

# What is not closed goes on to the end, for otherwise each beginning would look for an end there.
_LITERALS = re.compile(
    r"""(?P<kept>\b(?:from|join|into|update|table)\s+"[^"]*"|\.\s*"[^"]*")
    |(?:--[^\n]*|/\*.*?(?:\*/|\Z))
    |(?<![\w$])\$(?P<tag>\w*)\$.*?(?:\$(?P=tag)\$|\Z)
    |(?<!\w)n?q'(?:\[.*?(?:\]'|\Z)|\{.*?(?:\}'|\Z)|<.*?(?:>'|\Z)|\(.*?(?:\)'|\Z)
        |(?P<mark>\S).*?(?:(?P=mark)'|\Z))
    |'(?:[^'\\]|\\.|'')*'?
    |"(?:[^"\\]|\\.|"")*"?
    |\b\d[\w.]*""",
    re.VERBOSE | re.DOTALL | re.IGNORECASE,
)
_NAME = r"""(?:[^\W\d][\w$#]*|"[\w$#. -]+"|`[\w$#. -]+`|\[[\w$#. -]+\])"""
_TABLE = re.compile(rf"{_NAME}(?:\.{{1,2}}{_NAME}){{0,4}}(?:@[A-Za-z][\w.]*)?")
_QUERY = re.compile(
    r"(?:[\s(\ufeff]|--[^\n]*\n|/\*(?:[^*]|\*(?!/))*\*/)*(?:select|with|from|values)\s",
    re.IGNORECASE,
)


def is_query(text: str) -> bool:
    """Whether a text in the place of a location is a query."""
    return _QUERY.match(text) is not None


def shown_query(text: str) -> str:
    """Return what stands for a query: a digest that is the same whatever its literals are.

    A literal is a value of a row more often than not, and a short one could be guessed from a hash
    that covers it.

    Args:
        text: The query.
    """
    words = " ".join(_LITERALS.sub(lambda found: found["kept"] or " ? ", text).split())
    digest = hashlib.sha256(words.encode("utf-8", "surrogatepass")).hexdigest()[:DIGITS]
    return f"{KIND}:{digest}"


def shown_table(name: str) -> str:
    """Return the name of a table of a database; anything else is a query.

    Args:
        name: A name with its schema, quoted or not, or a query in its place; what stands for one
            of these stays.
    """
    name = name.strip()
    if name == HIDDEN or is_digest(name):
        return name
    return without_addresses(name) if not name or _TABLE.fullmatch(name) else shown_query(name)
