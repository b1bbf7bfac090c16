"""A location or a text of any form: what may be shown of it."""

from __future__ import annotations

import re
from collections.abc import Mapping

from conformare.capture.locations._addresses import without_addresses
from conformare.capture.locations._hidden import HIDDEN
from conformare.capture.locations._jdbc import is_jdbc, shown_jdbc
from conformare.capture.locations._pairs import is_pairs, shown_pairs, shown_places
from conformare.capture.locations._paths import shown_path
from conformare.capture.locations._places import PLACES, place_named
from conformare.capture.locations._queries import shown_table
from conformare.capture.locations._unreadable import is_digest
from conformare.capture.locations._url import is_url, shown_share, shown_url

BETWEEN = ", "
"""What separates the locations of a read that has several."""

_URL_IN_TEXT = re.compile(
    r"jdbc:(?:\{[^}]*\}|[^\s{])+|[A-Za-z][A-Za-z0-9+.-]*://\S+", re.IGNORECASE
)
# A part of a name is bounded, for otherwise a long text would be looked at again and again.
_SECRET_IN_TEXT = re.compile(
    r"((?<![\w-])[\w.-]{0,64}?(?:password|passwd|passphrase|pwd|secret|token|signature"
    r"|(?<![a-z])sig|(?:api|access|account|private)[_-]?key)[\w.-]{0,64}"
    # Or as JSON has it, or a dict that was printed.
    r"(?:\s{0,9}=|['\"]\s{0,9}:)\s{0,9})"
    r"(?:\{[^}]*\}?|'(?:[^'\\]|\\.)*'?|\"(?:[^\"\\]|\\.)*\"?)?\S*",
    re.IGNORECASE | re.DOTALL,
)
_NAMED = re.compile(r"(\w[\w .-]{0,64})=")
# Oracle has an "@" before its host also where there is none.
_USER = re.compile(r"(?<!:)@")
_NAMES_A_SECRET = re.compile(
    r"(?:password|passwd|passphrase|pwd|secret|token|(?:api|access|account|private)[_-]?key)$",
    re.IGNORECASE,
)
_WITH_A_HOST = re.compile(r"//|:@")
"""Stands before the host of a database. Where none does, a user and a password may come first."""


def redacted(location: str) -> str:
    """Return of a location the parts that say where something lies; everything else is dropped.

    Args:
        location: A path, a URL, a JDBC URL, a string of `name=value` or the name of a table.

    Returns:
        The same text where it holds nothing else. What cannot be taken apart is its kind and a
        digest.
    """
    location = location.strip()
    if is_digest(location):
        return location
    if is_jdbc(location):
        return shown_jdbc(location)
    if is_pairs(location):
        return shown_pairs(location)
    if is_url(location):
        return shown_url(location)
    if location.startswith("//") and location[2:3] not in ("", "/"):
        return shown_share(location)
    return shown_path(location)


def joined_with_table(url: str, table: str, properties: Mapping[str, str] | None = None) -> str:
    """Return where a table of a database lies.

    Args:
        url: URL of the database.
        table: Name of the table, or a query; "" where none is named.
        properties: What the driver is told beside the URL.
    """
    url, name = url.strip(), shown_table(table)
    place = shown_jdbc(url, properties) if is_jdbc(url) else redacted(url)
    if not name:
        return place
    return f"{place}#{name}" if is_jdbc(place) or is_pairs(place) else f"{place.rstrip('/')}/{name}"


def shown_options(options: Mapping[str, str], table: str = "") -> str:
    """Return where a table lies of which options tell the parts, "" if they tell none.

    Args:
        options: The options, by their names.
        table: Name of the table, or a query; "" where none is named.
    """
    place, name = ";".join(shown_places(options.items(), PLACES)), shown_table(table)
    return "#".join(part for part in (place, name) if part)


def shown_locations(locations: str) -> str:
    """Return one location or several, put together by us, as they may be shown.

    Args:
        locations: What `redacted` and `joined_with_table` return, separated by `BETWEEN`; it stays
            as it is. Anything else is one location, which is redacted.
    """
    several = locations.split(BETWEEN)
    return locations if all(map(_is_shown, several)) else redacted(locations)


def as_recorded(location: str) -> str:
    """Return a location as a record has it, whichever way somebody writes it.

    Args:
        location: One location, with the table of a database behind a "#". Where anything stands
            before it that says no place, what follows may be the rest of a secret, and is dropped.
    """
    place, _, table = location.strip().rpartition("#")
    is_of_database = is_jdbc(place) or is_pairs(place)
    return (
        joined_with_table(place, table)
        if is_of_database and _is_certain(place, table)
        else redacted(location)
    )


def _is_certain(place: str, table: str) -> bool:
    """Whether what stands around a "#" is a database and a table, and no secret that has one."""
    says_places = all(map(place_named, _NAMED.findall(place))) and not _USER.search(place)
    shown = redacted(place)
    is_read = is_digest(place) or not is_digest(shown)
    # Of `user/a#b@alias`, the table would be the rest of a password.
    has_a_host = shown == place or is_pairs(place) or _WITH_A_HOST.search(place) is not None
    return says_places and is_read and has_a_host and shown_table(table) == table


def _is_shown(location: str) -> bool:
    return as_recorded(location) == location


def without_credentials(text: str) -> str:
    """Return a text with every URL in it redacted, and the value of every `password=…`.

    Args:
        text: Anything, the author's own words too.
    """
    shown = _URL_IN_TEXT.sub(lambda found: redacted(found[0]), text) if ":" in text else text
    return _SECRET_IN_TEXT.sub(rf"\1{HIDDEN}", shown) if "=" in shown or ":" in shown else shown


def shown_tag(name: str, value: str) -> str:
    """Return the value of a tag, hidden where the name says that it is a secret."""
    return HIDDEN if value and _NAMES_A_SECRET.search(name) else value


def shown_name(name: str) -> str:
    """Return a name that code or data has given, without credentials and addresses.

    Args:
        name: The name of a column, a label.
    """
    # The name of a file may hold what UTF-8 cannot carry.
    carried = name.encode("utf-8", "replace").decode("utf-8")
    return without_addresses(without_credentials(carried))
