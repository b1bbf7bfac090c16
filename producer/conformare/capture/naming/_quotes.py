"""The literals in a text of SQL, as Spark reads them."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator

from conformare.capture.naming._literals import may_be_shown
from conformare.capture.sql._printed import on_one_line

_RAW = r"""(?<!\w)[rR](?:'[^']*'|"[^"]*")"""
_STRING = rf"""(?:{_RAW}|'(?:[^'\\]|\\.|'')*'|"(?:[^"\\]|\\.|"")*")"""
_ONE = re.compile(_STRING, re.DOTALL)
# Strings beside each other are one. What stands in backticks is a name.
_LITERAL = re.compile(
    rf"(?P<name>`(?:[^`]|``)*`)|(?P<strings>{_STRING}(?:\s*{_STRING})*)|\b(?P<number>\d[\w.]*)",
    re.DOTALL,
)
_ESCAPE = re.compile(
    r"\\u([0-9a-fA-F]{4})|\\U([0-9a-fA-F]{8})|\\([0-3][0-7]{2})|\\(.)|(?P<twice>['\"])(?P=twice)",
    re.DOTALL,
)
_BASES = (16, 16, 8)
_CONTROL = {"0": "\0", "b": "\b", "n": "\n", "r": "\r", "t": "\t", "Z": "\x1a"}
_EXECUTED = re.compile(r"\bexecute\s+immediate\b", re.IGNORECASE)
_SAID = re.compile(
    r"\s*''\s*(?:using(?:[\s\d.,()'+-]|\bas\s+\w+)*)?(?:;|$)",
    re.IGNORECASE,
)


def without_escapes(text: str) -> str:
    """Return a text of SQL with each string as one literal in which no character is escaped but
    quotes and backslashes, which parsers read alike.

    Args:
        text: The text.
    """
    return _LITERAL.sub(_written, on_one_line(text))


def quoted_in(text: str) -> Iterator[str]:
    """Yield the literals in a text of SQL, those of a statement in a literal among them.

    Args:
        text: The text.
    """
    for found in _LITERAL.finditer(on_one_line(text)):
        if found["name"]:
            continue
        literal = _value(found["strings"]) if found["strings"] else found["number"]
        if literal and not may_be_shown(literal):
            yield literal
        if "'" in literal or '"' in literal:
            yield from quoted_in(literal)


def says_all(text: str) -> bool:
    """Whether a text of SQL has all that its rows are made by.

    `EXECUTE IMMEDIATE` may take its statement, and what this one compares with, from variables.

    Args:
        text: The text.
    """
    blank = _LITERAL.sub(lambda found: "''" if found["strings"] else found[0], on_one_line(text))
    return all(_SAID.match(blank, found.end()) for found in _EXECUTED.finditer(blank))


def _written(found: re.Match[str]) -> str:
    if not found["strings"]:
        return found[0]
    value = _value(found["strings"]).replace("\\", "\\\\").replace("'", "\\'")
    return f"'{value}'"


def _value(strings: str) -> str:
    """Return what strings that stand beside each other say together."""
    return "".join(
        one[2:-1] if one[0] in "rR" else _ESCAPE.sub(_unescaped, one[1:-1])
        for one in _ONE.findall(strings)
    )


def _unescaped(found: re.Match[str]) -> str:
    for code, base in zip(found.groups(), _BASES, strict=False):
        if code is not None:
            number = int(code, base)
            return chr(number) if number <= sys.maxunicode else found[0]
    other = found[4]
    if other is None:
        return found["twice"]
    # The pattern of LIKE takes these with their backslash.
    return found[0] if other in "%_" else _CONTROL.get(other, other)
