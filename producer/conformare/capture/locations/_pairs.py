"""Strings of `name=value`: the names that say where something lies, and their values.

Every other name is dropped with its value: an unknown name may itself be part of a password with
an unescaped separator.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from conformare.capture.locations._hosts import are_hosts, one_form
from conformare.capture.locations._oracle import shown_descriptor
from conformare.capture.locations._places import PLACES, URLS, is_secret, place_named
from conformare.capture.locations._unreadable import is_digest, unreadable
from conformare.capture.locations._url import shown_url

_BRACED = r"\{(?:[^}]|\}\})*\}?"
_QUOTED = r"'(?:[^']|'')*'?|\"(?:[^\"]|\"\")*\"?"
# It ends in no blank, for otherwise those before a "=" could be shared out in many ways.
_NAME = r"\w(?:[\w .-]*?[\w.-])?"
_PAIR = re.compile(rf"\s*({_NAME})\s*=\s*(.*)", re.DOTALL)
_LIBPQ = re.compile(r"(\w+)\s*=\s*('(?:[^'\\]|\\.)*'?|\S*)")
_VALUE = re.compile(r"(?:[A-Za-z]:)?[\w/\\~.*][\w.$\\/ ,*-]*")
# Of Google's databases: project, region and name.
_INSTANCE = re.compile(r"(?:[\w.-]+:){1,3}[\w.-]+")
_HOST_AND_PORT = re.compile(r"([A-Za-z][\w.-]*|[\d.]*\.\d+)\s*[,:]\s*(\d+)")

_BEGINS = re.compile(rf"\s*{_NAME}\s*=[^;]*;|\s*\w+\s*=\s*\w[\w+.-]*://", re.DOTALL)
_ONE = re.compile(rf"\s*({_NAME})\s*=")
_SEVERAL = re.compile(r"\s*\w+\s*=\s*(?:'(?:[^'\\]|\\.)*'|\S*)\s+\w+\s*=")


def is_pairs(text: str) -> bool:
    """Whether a text is a string of `name=value`, as ODBC, libpq and Azure have them."""
    if _BEGINS.match(text) is not None or _SEVERAL.match(text) is not None:
        return True
    name = _ONE.match(text)
    return name is not None and is_secret(name[1])


def shown_pairs(text: str) -> str:
    """Return of a string of `name=value` what says where something lies."""
    pieces = pairs_of(text, ";") if ";" in text else _libpq(text)
    shown = shown_places(pieces, PLACES)
    return ";".join(shown) if shown else unreadable("connection", text)


def shown_places(pairs: Iterable[tuple[str, str]], allowed: Iterable[str]) -> list[str]:
    """Return those pairs that say where something lies, as text and in one order.

    Args:
        pairs: Names and values.
        allowed: The names to look for, as they are shown.
    """
    said: dict[str, set[str]] = {}
    for written, value in pairs:
        name = place_named(written)
        if name is not None and value:
            said.setdefault(name, set()).add(value)
    # One place has one database: where two are named, one of them is part of something else.
    certain = {name: values.pop() for name, values in said.items() if len(values) == 1}
    apart = _HOST_AND_PORT.fullmatch(certain.get("server", "").removeprefix("tcp:"))
    if apart is not None and "port" not in said:
        certain["server"], certain["port"] = apart.groups()
    return [
        f"{name}={_shown_value(name, certain[name])}"
        for name in PLACES
        if name in allowed and name in certain
    ]


def _shown_value(name: str, value: str) -> str:
    if name in URLS and "://" in value:
        return shown_url(value)
    if name == "server":
        hosts = value.removeprefix("tcp:").replace(" ", "")
        descriptor = one_form(hosts) if are_hosts(hosts) else shown_descriptor(value)
        if descriptor is not None:
            return descriptor
        return unreadable("text", value)
    form = _INSTANCE if name == "cloudSqlInstance" else _VALUE
    return value if form.fullmatch(value) or is_digest(value) else unreadable("text", value)


def pairs_of(text: str, separators: str) -> Iterator[tuple[str, str]]:
    """Yield the pairs of a text; what is no pair is left out.

    Args:
        text: The text.
        separators: The characters that separate pairs, outside of braces and quotes right behind
            a "=".
    """
    other = re.escape(separators)
    piece = re.compile(rf"(?:[^={other}]*=\s*(?:{_BRACED}|{_QUOTED}))?[^{other}]*", re.DOTALL)
    for found in piece.findall(text):
        pair = _PAIR.fullmatch(found)
        if pair is not None:
            yield pair[1], _bare(pair[2].strip())


def _libpq(text: str) -> Iterator[tuple[str, str]]:
    for name, value in _LIBPQ.findall(text):
        yield name, _bare(value)


def _bare(value: str) -> str:
    """Return a value without the braces or quotes around it."""
    return value[1:-1] if value[:1] + value[-1:] in ("{}", "''", '""') else value
