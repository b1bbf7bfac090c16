"""The one way in which a table is named, wherever it is read or written: `catalog.schema.table`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from conformare.capture.locations import (
    as_recorded,
    joined_with_table,
    label_of_path,
    label_of_table,
    redacted,
)

SESSION_CATALOG = "spark_catalog"
GLOBAL_VIEWS = "global_temp"
FRAME_OF_ARGUMENT = "_pyspark_"
"""Begins what pyspark names the frames that a query is given by name."""
_DEFAULT_SCHEMA = "default"
_PARTS_IN_SESSION_CATALOG = 3
_PART = re.compile(r"`((?:[^`]|``)*)`|([^.`]+)")
_PLAIN = re.compile(r"(?=.*[^\d])\w+", re.ASCII)
_NAME = re.compile(r"\s*(?:`(?:[^`]|``)+`|\w+)(?:\.(?:`(?:[^`]|``)+`|\w+))*\s*")
# What makes more of a part than a word: it is looked at like a location.
_NO_WORD = re.compile(r"[/\\:@=?&;]")
_PATH = re.compile(r"[/\\:]")

Properties = Mapping[Any, Any] | None
"""What a driver of a database is told beside its URL."""


@dataclass(frozen=True)
class Place:
    """A table or files, as the record shows it and as SQL finds it again.

    Attributes:
        location: Name or path, without credentials.
        label: What to call it.
        address: How SQL names it from anywhere; empty where it has no name. It may hold secrets.
        format: Format of files; None of a table, whose catalog knows it.
    """

    location: str
    label: str
    address: str = ""
    format: str | None = None

    @property
    def is_elsewhere(self) -> bool:
        """Whether it is a table of another catalog than the session's own."""
        return bool(self.address) and parts_of(self.address)[0] != SESSION_CATALOG


def parts_of(name: str) -> tuple[str, ...]:
    """Return the parts of a name as it is written in SQL, without their quotes.

    Args:
        name: Such as ``sales.`my table` ``.
    """
    found = [
        (quoted or plain).replace("``", "`") if quoted else plain.strip()
        for quoted, plain in _PART.findall(name)
    ]
    return tuple(part for part in found if part)


def is_name(text: str) -> bool:
    """Whether a text is the name of a table, as SQL writes it."""
    return _NAME.fullmatch(text) is not None


def table(parts: Sequence[str]) -> Place:
    """Return the place of a table.

    What nobody writes is left out: the session's own catalog, and its schema `default`.

    Args:
        parts: Catalog, schemas and name.
    """
    full = _folded(tuple(parts))
    shown = full
    if full[0] == SESSION_CATALOG and len(full) > 1:
        shown = full[1:]
        if len(full) == _PARTS_IN_SESSION_CATALOG and shown[0] == _DEFAULT_SCHEMA:
            shown = shown[1:]
    location = redacted(".".join(map(_shown, shown)))
    return Place(location, label_of_table(location), ".".join(map(_quoted, full)))


def files(path: str, format_: str) -> Place:
    """Return the place of files.

    Args:
        path: Where they lie.
        format_: Their format.
    """
    location = redacted(path)
    return Place(location, label_of_path(location), f"{format_}.{_quoted(path)}", format_.lower())


def database(url: object, table: object, properties: Properties = None) -> Place:
    """Return the place of a table of a database that is reached by JDBC.

    Args:
        url: JDBC URL.
        table: Name of the table, or a query, which stays out of it.
        properties: What the driver is told beside the URL.
    """
    location = jdbc_location(url, table, properties)
    return Place(location, label_of_path(location), format="jdbc")


def jdbc_location(url: object, table: object, properties: Properties = None) -> str:
    """Return where a table of a database lies, without credentials.

    Args:
        url: JDBC URL.
        table: Name of the table, or a query, which stays out of it.
        properties: What the driver is told beside the URL, which may be among it.
    """
    told = {str(name): str(value) for name, value in (properties or {}).items()}
    named = {name: value for name, value in told.items() if name.lower() != "url"}
    return joined_with_table(str(url), "" if table is None else str(table), named)


def is_path(parts: Sequence[str]) -> bool:
    """Whether a name is a format and a path, as in ``delta.`/data` ``."""
    return len(parts) == 2 and _PATH.search(parts[1]) is not None  # noqa: PLR2004 - format and path


def location_written(text: str) -> str:
    """Return a location as records have it, in whichever way somebody writes it.

    Args:
        text: A path, a URL, the name of a table or a format and a path; that of a table in a
            database stands behind a "#".
    """
    if not is_name(text):
        return as_recorded(text)
    parts = parts_of(text)
    return redacted(parts[1]) if is_path(parts) else table(parts).location


def view_key(parts: Sequence[str]) -> str:
    """Return the name under which a view is known, the same in any case of letters.

    Args:
        parts: The name alone of a temporary view; all parts of one that the catalog keeps.
    """
    return ".".join(parts).lower()


def _folded(parts: tuple[str, ...]) -> tuple[str, ...]:
    # Names in the session's catalog are the same in any case, and it keeps them in lower case.
    is_session = len(parts) > 1 and parts[0].lower() == SESSION_CATALOG
    return tuple(part.lower() for part in parts) if is_session else parts


def _shown(part: str) -> str:
    if _PLAIN.fullmatch(part):
        return part
    return _quoted(redacted(part) if _NO_WORD.search(part) else part)


def _quoted(part: str) -> str:
    return "`" + part.replace("`", "``") + "`"
